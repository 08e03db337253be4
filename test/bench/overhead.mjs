/**
 * What a pipeline takes besides its model's own runs: reading, preparing, windows, blending, components, measuring, SEG and SR, for a 3D
 * U-Net of the usual size (make_unet.py; random weights, so that what it finds means nothing) in windows of 128x128x128 that overlap by half,
 * over the chest CT of ../shared/data at 1.5 mm. Prints everything but the model's runs as a part of the model's runs.
 *
 *   node test/bench/overhead.mjs [RUNS] [BASE]      BASE: channels of the first level, default 16; nnU-Net has 32
 *
 * Needs /usr/bin/python3 with onnx. Runs within this process, so that the model's runs can be timed.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as ort from 'onnxruntime-node'
import { median } from './measured-run.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const chest = path.join(here, '../../../shared/data/ct-chest-nlst')
const runs = Number(process.argv[2] ?? 1)
const base = process.argv[3] ?? '16'

const manifest = (sha256) => `schema: 2
name: unet-overhead
version: 1.0.0
title: U-Net overhead
manufacturer: Bench
description: A U-Net with random weights.
intendedUse: None.
limits: None.
inputs:
  - { name: ct, kind: volume, modality: CT, values: hounsfield }
prepare:
  image:
    from: ct
    steps:
      - reorient: { axes: RAS }
      - resample: { spacing: 1.5 }
      - clip: { minimum: -1000, maximum: 1000 }
      - z-score: {}
infer:
  - name: unet
    model: { file: model.onnx, sha256: ${sha256} }
    inputs: { image: { from: image, layout: NCDHW, type: float32 } }
    run: { kind: sliding-window, size: [128, 128, 128], overlap: 0.5 }
    outputs: { logits: { value: classes, kind: labels, reduce: argmax } }
finish:
  parts: { from: classes, steps: [components: { keep: { largest: 1 } }] }
segments:
${[1, 2, 3, 4]
  .map(
    (value) => `  - id: class-${value}
    from: parts
    value: ${value}
    label: Class ${value}
    category: { value: '123037004', scheme: SCT, meaning: Anatomical Structure }
    type: { value: '39607008', scheme: SCT, meaning: Lung }
    colour: [${value * 50}, 100, 200]
`,
  )
  .join('')}measure:
${[1, 2, 3, 4]
  .map(
    (value) => `  - id: volume-${value}
    name: Volume ${value}
    segment: class-${value}
    quantity: volume
    code: { value: '118565006', scheme: SCT, meaning: Volume }
    unit: { value: mL, scheme: UCUM, meaning: milliliter }
`,
  )
  .join('')}outputs:
  - { kind: segmentation, format: binary }
  - { kind: measurement-report }
`

/** Seconds, of the clock and of processors, that runs of models took. */
const model = { wall: 0, cpu: 0, runs: 0 }
const seconds = ({ user, system }) => (user + system) / 1e6
const { create } = ort.InferenceSession
ort.InferenceSession.create = async (...given) => {
  const session = await create.apply(ort.InferenceSession, given)
  const run = session.run.bind(session)
  session.run = async (...feeds) => {
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const results = await run(...feeds)
    model.wall += (performance.now() - start) / 1000
    model.cpu += seconds(process.cpuUsage(cpu))
    model.runs += 1
    return results
  }
  return session
}

const { loadPipeline } = await import('../../dist/infer/load-pipelines.js')
const { runTask } = await import('../../dist/worker-parts/run-task.js')
const { readInstanceFile } = await import('../../dist/dicom/instance-file.js')

const series = existsSync(chest) ? readdirSync(chest).find((name) => name.startsWith('CT_')) : undefined
if (series === undefined) throw new Error(`${chest}: not there`)
const folder = mkdtempSync(path.join(tmpdir(), 'hilum-bench-'))
try {
  const own = path.join(folder, 'pipeline')
  mkdirSync(own)
  const file = path.join(own, 'model.onnx')
  execFileSync('/usr/bin/python3', [path.join(here, 'make_unet.py'), file, base])
  const bytes = readFileSync(file)
  writeFileSync(path.join(own, 'pipeline.yaml'), manifest(createHash('sha256').update(bytes).digest('hex')))
  writeFileSync(path.join(own, 'README.md'), '# unet-overhead\n')
  const { pipeline, problems } = await loadPipeline(own)
  if (!pipeline) throw new Error(problems.join('\n'))
  const files = readdirSync(path.join(chest, series)).map((name) => path.join(chest, series, name))
  const { elements } = await readInstanceFile(files[0])
  const [studyInstanceUID, seriesInstanceUID] = ['0020000D', '0020000E'].map((tag) => elements[tag].Value[0])
  const found = []
  for (let run = 0; run < runs; run++) {
    Object.assign(model, { wall: 0, cpu: 0, runs: 0 })
    const outFolder = path.join(folder, `out-${run}`)
    mkdirSync(outFolder)
    const task = {
      jobId: `run-${run}`,
      at: new Date().toISOString(),
      pipelineFolder: own,
      pipelineDigest: pipeline.digest,
      studyInstanceUID,
      revision: 1,
      inputs: { ct: { seriesInstanceUID, files } },
      outputs: undefined,
      predecessors: [],
      outFolder,
      providers: ['cpu'],
      threads: availableParallelism(),
    }
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const outcome = await runTask(task, async () => pipeline)
    if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
    const wall = (performance.now() - start) / 1000 - model.wall
    found.push({ wall: wall / model.wall, cpu: (seconds(process.cpuUsage(cpu)) - model.cpu) / model.cpu })
    console.log(
      `model ${model.wall.toFixed(1)} s (${model.cpu.toFixed(1)} s cpu) in ${model.runs} runs, the rest ${wall.toFixed(1)} s; ` +
        `peak ${Math.round(process.resourceUsage().maxRSS / 1000)} MB; load ${loadavg()[0].toFixed(1)}`,
    )
  }
  const part = (key) => `${(100 * median(found.map((one) => one[key]))).toFixed(0)} %`
  console.log(`everything but the model: ${part('wall')} of the model's time, ${part('cpu')} of its processor time`)
} finally {
  rmSync(folder, { recursive: true })
}
