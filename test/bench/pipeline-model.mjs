/**
 * The model's runs for pipeline_python.py, in the ONNX Runtime that Hilum uses and with the same settings: reads slabs from standard input
 * (three uint32 of dimensions, then float32), writes the uint8 results to standard output, and at the end the seconds that the runs took.
 *
 *   node test/bench/pipeline-model.mjs MODEL THREADS
 */
import { readSync, writeSync } from 'node:fs'
import * as ort from 'onnxruntime-node'

const [file, threads] = process.argv.slice(2)
const session = await ort.InferenceSession.create(file, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
})

/** Fills the bytes; false where the input ended before the first. */
function fill(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(0, bytes, at, bytes.length - at)
    if (read === 0) return false
    at += read
  }
  return true
}

function write(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}

const head = new Uint32Array(3)
let slab = new Float32Array(0)
let seconds = 0
while (fill(new Uint8Array(head.buffer))) {
  const length = head[0] * head[1] * head[2]
  if (slab.length !== length) slab = new Float32Array(length)
  fill(new Uint8Array(slab.buffer))
  const start = performance.now()
  const input = new ort.Tensor('float32', slab, [...head])
  const { candidate } = await session.run({ volume: input }, ['candidate'])
  seconds += (performance.now() - start) / 1000
  write(candidate.data)
  candidate.dispose()
}
write(new Uint8Array(Float64Array.of(seconds).buffer))
