import * as grpc from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { openInferenceMessages } from '../../../src/infer/runtime/open-inference-messages.ts'

/**
 * A double of an inference server, made from the text of the Open Inference Protocol v2 for gRPC; no real server was at hand. It is strict: what the
 * protocol does not allow is answered with INVALID_ARGUMENT. Its model `scale` multiplies FP32 numbers by two.
 */
export interface GrpcServerDouble {
  server: grpc.Server
  port: number
  calls: { method: string; request: Record<string, unknown>; metadata: grpc.Metadata }[]
  /** Answers in place of the model's. */
  answer: ((done: grpc.sendUnaryData<object>, asked: Asked) => void) | null
  /** Names that it knows. */
  models: string[]
}

export interface Asked {
  model_name: string
  inputs: { name: string; datatype: string; shape: number[] }[]
  outputs: { name: string }[]
  raw_input_contents: Buffer[]
}

const definition = fromJSON(openInferenceMessages, { keepCase: true, longs: Number, defaults: true })

function scaled(request: Asked): object | string {
  const [input, ...others] = request.inputs
  const [bytes, ...further] = request.raw_input_contents
  if (!input || !bytes || others.length + further.length > 0) return 'one input with raw contents is expected'
  if (input.name !== 'image' || input.datatype !== 'FP32') return 'the FP32 input image is expected'
  const elements = input.shape.reduce((product, dim) => product * dim, 1)
  if (bytes.length !== 4 * elements) return 'the raw contents do not match the shape'
  const result = Buffer.alloc(bytes.length)
  for (let at = 0; at < bytes.length; at += 4) result.writeFloatLE(2 * bytes.readFloatLE(at), at)
  if (request.outputs.some(({ name }) => name !== 'scaled')) return 'unexpected output'
  return { model_name: 'scale', outputs: [{ ...input, name: 'scaled' }], raw_output_contents: [result] }
}

/** Starts one on a free port of this machine. */
export async function grpcServerDouble(
  credentials = grpc.ServerCredentials.createInsecure(),
): Promise<GrpcServerDouble> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 2 ** 30 })
  const double: GrpcServerDouble = { server, port: 0, calls: [], answer: null, models: ['scale'] }
  const known = (name: unknown, done: grpc.sendUnaryData<object>, answer: object): void => {
    if (double.models.includes(String(name))) done(null, answer)
    else done({ code: grpc.status.NOT_FOUND, details: 'unknown model' })
  }
  const shape = [-1, 1, -1, -1]
  const methods: Record<string, (request: Record<string, unknown>, done: grpc.sendUnaryData<object>) => void> = {
    ServerMetadata: (_, done) => done(null, { name: 'double', version: '1', extensions: [] }),
    ModelReady: ({ name }, done) => known(name, done, { ready: true }),
    ModelMetadata: ({ name }, done) =>
      known(name, done, {
        name: 'scale',
        inputs: [{ name: 'image', datatype: 'FP32', shape }],
        outputs: [{ name: 'scaled', datatype: 'FP32', shape }],
      }),
    ModelInfer: (request, done) => {
      if (double.answer) return double.answer(done, request as unknown as Asked)
      const result = scaled(request as unknown as Asked)
      if (typeof result === 'string') done({ code: grpc.status.INVALID_ARGUMENT, details: result })
      else done(null, result)
    },
  }
  server.addService(
    definition['inference.GRPCInferenceService'] as grpc.ServiceDefinition,
    Object.fromEntries(
      Object.entries(methods).map(([method, act]) => [
        method,
        (call: grpc.ServerUnaryCall<Record<string, unknown>, object>, done: grpc.sendUnaryData<object>) => {
          double.calls.push({ method, request: call.request, metadata: call.metadata })
          act(call.request, done)
        },
      ]),
    ),
  )
  double.port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)))
  })
  return double
}
