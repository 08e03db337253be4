import path from 'node:path'
import * as ort from 'onnxruntime-node'
import { messageOf } from '../../errors.ts'
import { InferError } from '../error.ts'
import { checkFeeds, checkWanted } from './check-tensors.ts'
import type { Model, ModelContext, TensorInfo } from './model.ts'
import type { OnnxOptions } from './options.ts'
import { isTensorType, type Tensor } from './tensor.ts'

// What a provider fails with is in the error that it throws; ONNX Runtime would also print it.
ort.env.logLevel = 'fatal'

/**
 * Opens an ONNX file with the first execution provider that works, in this process. ONNX Runtime's own fallback throws on a provider that it was
 * built without, so each is tried alone; what failed is recorded. Memory patterns are off because shapes vary between volumes and the
 * process lives on, and so is the arena, unless all runs are of one size: it then saves the system's zeroing of pages for every run, and
 * goes with the session. Threads do not spin.
 *
 * A run blocks the thread; whoever wants a deadline ends the process.
 * @throws {InferError} `no-provider` when not even the CPU takes the model, or the first choice fails and the pipeline wants no other
 */
export async function openOnnx(options: OnnxOptions, context: ModelContext): Promise<Model> {
  const { session, provider, notes } = await openSession(path.resolve(context.folder, options.file), {
    providers: options.providers ?? context.providers,
    threads: context.threads,
    arena: context.sameSizes ?? false,
    onMissingProvider: options.onMissingProvider,
  })
  const inputs = session.inputMetadata.map(infoOf)
  const outputs = session.outputMetadata.map(infoOf)
  return {
    provider: `onnx ${provider}`,
    notes,
    inputs,
    outputs,
    run: async (feeds, wanted) => {
      checkFeeds(inputs, feeds)
      checkWanted(outputs, wanted)
      return run(session, feeds, wanted)
    },
    close: () => session.release(),
  }
}

interface Session {
  session: ort.InferenceSession
  /** The execution provider that runs. */
  provider: string
  /** Why better ones do not, a sentence each. */
  notes: string[]
}

async function openSession(
  modelFile: string,
  options: {
    providers: readonly string[]
    threads: number
    arena: boolean
    onMissingProvider: 'fallback' | 'refuse'
  },
): Promise<Session> {
  const notes: string[] = []
  const wanted = [...new Set([...options.providers, 'cpu'])]
  for (const provider of options.onMissingProvider === 'refuse' ? wanted.slice(0, 1) : wanted) {
    try {
      const session = await ort.InferenceSession.create(modelFile, {
        executionProviders: [provider],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        enableCpuMemArena: options.arena,
        enableMemPattern: false,
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      })
      return { session, provider, notes }
    } catch (error) {
      notes.push(`the execution provider ${provider} cannot be used: ${reasonOf(error)}`)
    }
  }
  throw new InferError('no-provider', `no execution provider takes the model: ${notes.join('; ')}`)
}

async function run(
  session: ort.InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  wanted: readonly string[],
): Promise<Record<string, Tensor>> {
  const given = Object.entries(feeds).map(([name, { type, data, dims }]) => {
    // Memory that threads share is refused. Of the types only one is named here: which array goes with which was checked before.
    const own = data.buffer instanceof SharedArrayBuffer ? data.slice() : data
    return [name, new ort.Tensor(type as 'float32', own as Float32Array, dims)] as const
  })
  let answer: ort.InferenceSession.OnnxValueMapType
  try {
    answer = await session.run(Object.fromEntries(given), [...wanted])
  } catch (error) {
    const reason = firstLine(messageOf(error))
    if (outOfMemory.test(reason)) throw new InferError('out-of-memory', `the model ran out of memory: ${reason}`)
    throw new InferError('model-failed', `the model's run failed: ${reason}`)
  } finally {
    for (const [, tensor] of given) tensor.dispose()
  }
  const outputs: Record<string, Tensor> = {}
  for (const name of wanted) {
    const value = answer[name] as ort.Tensor
    const { type, dims } = value
    // The data is in memory of JavaScript's own and outlives the tensor.
    if (isTensorType(type)) outputs[name] = { type, dims: [...dims], data: value.data } as Tensor
    value.dispose()
    if (!isTensorType(type))
      throw new InferError('wrong-shape', `output ${name}: tensors of type ${type} are not supported`)
  }
  return outputs
}

/** What ONNX Runtime says where memory cannot be had. */
const outOfMemory = /failed to allocate memory|bad_alloc|bad allocation|out of memory/i

function infoOf(metadata: ort.InferenceSession.ValueMetadata): TensorInfo {
  if (!metadata.isTensor) return { name: metadata.name, type: null, dims: null }
  const { name, type, shape } = metadata
  return { name, type: isTensorType(type) ? type : null, dims: shape.map((dim) => (dim === '' ? null : dim)) }
}

/** Some of ONNX Runtime's messages begin with where its source was built and which condition failed. */
function reasonOf(error: unknown): string {
  return firstLine(messageOf(error)).replace(/^.*? was false\. /, '')
}

function firstLine(text: string): string {
  return text.split('\n')[0] as string
}
