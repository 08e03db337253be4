import * as ort from 'onnxruntime-node'
import { messageOf } from '../errors.ts'
import { InferError } from './error.ts'

// What a provider fails with is in the error that it throws; ONNX Runtime would also print it.
ort.env.logLevel = 'fatal'

export interface ModelSession {
  session: ort.InferenceSession
  /** The execution provider that runs. */
  provider: string
  /** Why better ones do not, a sentence each. */
  fallbacks: string[]
}

/**
 * Opens a model with the first execution provider that works. ONNX Runtime's own fallback throws on a provider that it was built
 * without, so each is tried alone; what failed is recorded. The memory arena and pattern are off because shapes vary between volumes and
 * the process lives on; threads do not spin.
 * @param options.providers in order of preference; `cpu` is appended
 * @throws {InferError} `no-provider` when not even the CPU takes the model
 */
export async function openModel(
  modelFile: string,
  options: { providers: readonly string[]; threads: number },
): Promise<ModelSession> {
  const fallbacks: string[] = []
  for (const provider of new Set([...options.providers, 'cpu'])) {
    try {
      const session = await ort.InferenceSession.create(modelFile, {
        executionProviders: [provider],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        enableCpuMemArena: false,
        enableMemPattern: false,
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      })
      return { session, provider, fallbacks }
    } catch (error) {
      fallbacks.push(`the execution provider ${provider} cannot be used: ${firstLine(messageOf(error))}`)
    }
  }
  throw new InferError('no-provider', `no execution provider takes the model: ${fallbacks.join('; ')}`)
}

function firstLine(text: string): string {
  return text.split('\n')[0] as string
}
