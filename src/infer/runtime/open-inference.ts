import { InferError } from '../error.ts'
import type { Model, ModelContext } from './model.ts'
import { openHttp } from './open-inference-http.ts'
import { type Endpoint, largestMessage } from './open-inference-protocol.ts'
import type { OpenInferenceOptions } from './options.ts'

/**
 * Opens a model on an inference server (Triton, KServe, and others of the Open Inference Protocol v2). Nothing but tensors is sent, under the
 * names of the model's inputs.
 * @throws {InferError} `model-failed` where the configuration has no such server, or the server has no such model; `model-unreachable`;
 * `model-deadline`
 */
export async function openOpenInference(options: OpenInferenceOptions, context: ModelContext): Promise<Model> {
  const server = context.serverOf?.(options.server)
  if (!server)
    throw new InferError('model-failed', `the configuration has no inference server of the name ${options.server}`)
  const endpoint: Endpoint = {
    server,
    model: options.model,
    version: options.version,
    deadline: 1000 * Math.min(options.deadlineSeconds, server.deadlineSeconds ?? Number.POSITIVE_INFINITY),
    maximumBytes: Math.min(server.maximumBytes ?? largestMessage, largestMessage),
    signal: context.signal,
  }
  // Loaded when it is asked for only.
  if (options.protocol === 'grpc') return (await import('./open-inference-grpc.ts')).openGrpc(endpoint)
  return openHttp(endpoint)
}
