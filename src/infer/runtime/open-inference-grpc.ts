import * as grpc from '@grpc/grpc-js'
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader'
import { InferError } from '../error.ts'
import { checkCount } from './check-tensors.ts'
import type { InferenceServer, Model, TensorInfo } from './model.ts'
import { openInferenceMessages } from './open-inference-messages.ts'
import { datatypeOf, type Endpoint, typeOfDatatype } from './open-inference-protocol.ts'
import { malformed, servedModel, wantedOf } from './served-model.ts'
import { bytesOf, bytesOfTensor, elementsOf, type Tensor, type TensorType, tensorOfBytes, zeros } from './tensor.ts'

interface TensorMetadata {
  name: string
  datatype: string
  shape: number[]
}

type Contents = Readonly<Record<string, readonly (number | boolean)[]>>

interface Methods {
  ServerMetadata: { request: object; answer: { name: string; version: string; extensions: string[] } }
  ModelReady: { request: { name: string; version: string }; answer: { ready: boolean } }
  ModelMetadata: {
    request: { name: string; version: string }
    answer: { inputs: TensorMetadata[]; outputs: TensorMetadata[] }
  }
  ModelInfer: {
    request: {
      model_name: string
      model_version: string
      inputs: TensorMetadata[]
      outputs: { name: string }[]
      raw_input_contents: Uint8Array[]
    }
    answer: { outputs: (TensorMetadata & { contents: Contents | null })[]; raw_output_contents: Buffer[] }
  }
}

const service = fromJSON(openInferenceMessages, { keepCase: true, longs: Number, defaults: true })[
  'inference.GRPCInferenceService'
] as unknown as Readonly<Record<keyof Methods, MethodDefinition<object, object>>>

/**
 * A model behind the gRPC interface of the Open Inference Protocol v2 (Triton, KServe). Tensors are sent and taken as bytes, little endian and
 * row-major, beside the messages' own fields.
 * @throws {InferError} as `openOpenInference`
 */
export async function openGrpc(endpoint: Endpoint): Promise<Model> {
  const connection = new GrpcConnection(endpoint)
  try {
    return await open(connection, endpoint)
  } catch (error) {
    connection.close()
    throw error
  }
}

async function open(connection: GrpcConnection, { model, version = '' }: Endpoint): Promise<Model> {
  const server = await connection.call('ServerMetadata', {})
  const named = { name: model, version }
  const { ready } = await connection.call('ModelReady', named)
  if (!ready)
    throw new InferError('model-unreachable', `${connection.name}: the model ${model} is not ready`, {
      retry: 'transient',
    })
  const described = await connection.call('ModelMetadata', named)
  return servedModel(
    { server, model: described },
    {
      infer: (feeds, wanted, outputs) => infer(connection, { model, version, feeds, wanted, outputs }),
      close: async () => connection.close(),
    },
  )
}

async function infer(
  connection: GrpcConnection,
  call: {
    model: string
    version: string
    feeds: Readonly<Record<string, Tensor>>
    wanted: readonly string[]
    outputs: readonly TensorInfo[]
  },
): Promise<Record<string, Tensor>> {
  const feeds = Object.entries(call.feeds)
  const bytes = feeds.reduce((sum, [, { data }]) => sum + data.byteLength, 0)
  connection.checkSize(bytes)
  const answer = await connection.call('ModelInfer', {
    model_name: call.model,
    model_version: call.version,
    inputs: feeds.map(([name, { type, dims }]) => ({ name, datatype: datatypeOf(type), shape: [...dims] })),
    outputs: call.wanted.map((name) => ({ name })),
    raw_input_contents: feeds.map(([, tensor]) => bytesOfTensor(tensor)),
  })
  const given = new Map(readAnswer(answer))
  return wantedOf(given, call.wanted, call.outputs)
}

/** Tensors as bytes for all outputs, in their order, or in each output's own field: never some of both. */
function* readAnswer({
  outputs,
  raw_output_contents: raw,
}: Methods['ModelInfer']['answer']): Generator<[string, Tensor]> {
  if (raw.length > 0 && raw.length !== outputs.length)
    throw malformed(`it has ${outputs.length} outputs and ${raw.length} contents`)
  for (const [index, { name, datatype, shape, contents }] of outputs.entries()) {
    const type = typeOfDatatype(datatype)
    if (type === null) continue
    const bytes = raw[index]
    if (!bytes) {
      yield [name, tensorOfContents(name, { type, shape, contents })]
      continue
    }
    const expected = elementsOf(shape) * bytesOf(type)
    if (bytes.length !== expected)
      throw new InferError(
        'wrong-shape',
        `output ${name}: ${bytes.length} bytes were found, ${datatype} [${shape.join(', ')}] has ${expected}`,
      )
    yield [name, tensorOfBytes(type, shape, bytes)]
  }
}

/** The field that holds a type's elements; halves have none. */
const contentFields: Readonly<Partial<Record<TensorType, string>>> = {
  bool: 'bool_contents',
  int8: 'int_contents',
  int16: 'int_contents',
  int32: 'int_contents',
  int64: 'int64_contents',
  uint8: 'uint_contents',
  uint16: 'uint_contents',
  float32: 'fp32_contents',
  float64: 'fp64_contents',
}

function tensorOfContents(
  name: string,
  { type, shape, contents }: { type: TensorType; shape: readonly number[]; contents: Contents | null },
): Tensor {
  const field = contentFields[type]
  const values = field === undefined ? [] : (contents?.[field] ?? [])
  checkCount(name, values, { type, shape })
  const tensor = zeros(type, shape)
  for (const [index, value] of values.entries())
    if (tensor.type === 'int64') tensor.data[index] = BigInt(value)
    else tensor.data[index] = Number(value)
  return tensor
}

/** Characters of a server's own words that are passed on. */
const longestReason = 200

/** Calls to one inference server, each with a deadline, within the limit of bytes, with its headers. */
class GrpcConnection {
  readonly name: string
  readonly #endpoint: Endpoint
  readonly #client: grpc.Client
  readonly #metadata = new grpc.Metadata()

  constructor(endpoint: Endpoint) {
    const { server, maximumBytes } = endpoint
    this.name = `inference server ${server.name}`
    this.#endpoint = endpoint
    const { host, protocol, port } = new URL(server.url)
    const address = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host
    this.#client = new grpc.Client(address, credentialsOf(server), {
      'grpc.max_receive_message_length': maximumBytes,
      'grpc.max_send_message_length': maximumBytes,
      'grpc.enable_retries': 0,
    })
    for (const [name, value] of Object.entries(server.headers ?? {})) this.#metadata.set(name.toLowerCase(), value)
  }

  /** @throws {InferError} `model-failed` when the tensors are larger than the limit */
  checkSize(bytes: number): void {
    const { maximumBytes } = this.#endpoint
    if (bytes > maximumBytes)
      throw new InferError('model-failed', `the request has ${bytes} bytes, at most ${maximumBytes} are sent`)
  }

  call<Name extends keyof Methods>(name: Name, request: Methods[Name]['request']): Promise<Methods[Name]['answer']> {
    const { path, requestSerialize, responseDeserialize } = service[name]
    const { deadline, signal } = this.#endpoint
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        { deadline: Date.now() + deadline },
        (error, answer) => {
          signal?.removeEventListener('abort', cancel)
          if (error || !answer) reject(this.#failure(name, error))
          else resolve(answer as Methods[Name]['answer'])
        },
      )
      const cancel = (): void => call.cancel()
      signal?.addEventListener('abort', cancel)
    })
  }

  #failure(method: string, error: grpc.ServiceError | null): unknown {
    const { deadline, maximumBytes, signal } = this.#endpoint
    if (signal?.aborted) return signal.reason
    const words = (error?.details ?? '').replace(/[^\x20-\x7e]+/g, ' ').slice(0, longestReason)
    switch (error?.code) {
      case grpc.status.DEADLINE_EXCEEDED:
        return new InferError('model-deadline', `${this.name} did not answer within ${deadline / 1000} s`, {
          retry: 'transient',
        })
      case grpc.status.UNAVAILABLE:
      case grpc.status.ABORTED:
        return new InferError('model-unreachable', `${this.name} cannot be reached: ${words}`, { retry: 'transient' })
      default: {
        // The library's own words: what is larger than the limit is not read.
        if (words.startsWith('Received message larger than max'))
          return new InferError('model-failed', `the answer of ${this.name} has more than ${maximumBytes} bytes`)
        const code = error ? grpc.status[error.code] : 'no answer'
        return new InferError('model-failed', `${this.name} answers ${code} to ${method}: ${words}`)
      }
    }
  }

  close(): void {
    this.#client.close()
  }
}

function credentialsOf({ url, tls }: InferenceServer): grpc.ChannelCredentials {
  if (new URL(url).protocol !== 'https:') return grpc.credentials.createInsecure()
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
  return grpc.credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.certificate))
}
