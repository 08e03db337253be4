import { Readable } from 'node:stream'
import * as z from 'zod'
import { InferError } from '../error.ts'
import { checkCount } from './check-tensors.ts'
import { type HttpAnswer, HttpConnection } from './http-connection.ts'
import type { Model, TensorInfo } from './model.ts'
import { datatypeOf, type Endpoint, typeOfDatatype } from './open-inference-protocol.ts'
import { malformed, servedModel, wantedOf } from './served-model.ts'
import { bytesOf, bytesOfTensor, elementsOf, type Tensor, type TensorType, tensorOfBytes, zeros } from './tensor.ts'

const serverMetadata = z.object({ name: z.string(), version: z.string().default(''), extensions: z.array(z.string()) })

const tensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) })
const modelMetadata = z.object({ inputs: z.array(tensorMetadata), outputs: z.array(tensorMetadata) })

const answerHeader = z.object({
  model_name: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int().min(0)),
      parameters: z.object({ binary_data_size: z.int().min(0).optional() }).optional(),
      data: z.array(z.unknown()).optional(),
    }),
  ),
})

/**
 * A model behind the REST interface of the Open Inference Protocol v2, with its extension for binary tensors: JSON, then the raw tensors in
 * order, little endian and row-major; `Inference-Header-Content-Length` says where the JSON ends.
 * @throws {InferError} as `openOpenInference`
 */
export async function openHttp(endpoint: Endpoint): Promise<Model> {
  const connection = new HttpConnection(endpoint)
  try {
    return await open(connection, endpoint)
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function open(connection: HttpConnection, endpoint: Endpoint): Promise<Model> {
  const server = parsed(serverMetadata, await connection.get('v2'), 'the server’s description of itself')
  if (!server.extensions.includes('binary_tensor_data'))
    throw new InferError(
      'model-failed',
      `${connection.name} does not take binary tensors (extension binary_tensor_data)`,
    )
  const version = endpoint.version === undefined ? '' : `/versions/${encodeURIComponent(endpoint.version)}`
  const path = `v2/models/${encodeURIComponent(endpoint.model)}${version}`
  await connection.get(`${path}/ready`)
  const model = parsed(modelMetadata, await connection.get(path), 'the model’s description')
  return servedModel(
    { server, model },
    {
      infer: (feeds, wanted, outputs) => infer(connection, `${path}/infer`, { feeds, wanted, outputs }),
      close: () => connection.close(),
    },
  )
}

async function infer(
  connection: HttpConnection,
  path: string,
  call: { feeds: Readonly<Record<string, Tensor>>; wanted: readonly string[]; outputs: readonly TensorInfo[] },
): Promise<Record<string, Tensor>> {
  const feeds = Object.entries(call.feeds)
  const header = Buffer.from(
    JSON.stringify({
      inputs: feeds.map(([name, { type, dims, data }]) => ({
        name,
        datatype: datatypeOf(type),
        shape: dims,
        parameters: { binary_data_size: data.byteLength },
      })),
      outputs: call.wanted.map((name) => ({ name, parameters: { binary_data: true } })),
    }),
  )
  const chunks = [header, ...feeds.map(([, tensor]) => bytesOfTensor(tensor))]
  const answer = await connection.post(path, {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.length),
    },
    length: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    // A generator, because a list of chunks would be joined.
    body: Readable.from(pieces(chunks), { objectMode: false }),
  })
  const given = readAnswer(answer)
  return wantedOf(given, call.wanted, call.outputs)
}

const pieceLength = 1024 * 1024

function* pieces(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += pieceLength) yield chunk.subarray(at, at + pieceLength)
}

/** The tensors of an answer, which may stand in its JSON, behind it, or some here and some there. */
function readAnswer(answer: HttpAnswer): Map<string, Tensor> {
  const said = answer.headers['inference-header-content-length']
  const length = said === undefined ? answer.body.length : Number(said)
  if (!Number.isSafeInteger(length) || length < 0 || length > answer.body.length)
    throw malformed(`its JSON is said to have ${String(said).slice(0, 20)} of ${answer.body.length} bytes`)
  const header = parsed(answerHeader, { ...answer, body: answer.body.subarray(0, length) }, 'its JSON')
  const tensors = new Map<string, Tensor>()
  let at = length
  for (const { name, datatype, shape, parameters, data } of header.outputs) {
    const type = typeOfDatatype(datatype)
    const size = parameters?.binary_data_size
    if (size !== undefined && at + size > answer.body.length)
      throw malformed(`output ${name} is said to have ${size} bytes, ${answer.body.length - at} are left`)
    const bytes = size === undefined ? null : answer.body.subarray(at, at + size)
    at += size ?? 0
    // What was not asked for need not be understood.
    if (type === null) continue
    if (bytes) {
      const expected = elementsOf(shape) * bytesOf(type)
      if (bytes.length !== expected)
        throw new InferError(
          'wrong-shape',
          `output ${name}: ${bytes.length} bytes were found, ${datatype} [${shape.join(', ')}] has ${expected}`,
        )
      tensors.set(name, tensorOfBytes(type, shape, bytes))
    } else if (data) tensors.set(name, tensorOfJSON(name, { type, shape, data }))
    else throw malformed(`output ${name} has no data`)
  }
  if (at !== answer.body.length) throw malformed(`${answer.body.length - at} bytes follow its last tensor`)
  return tensors
}

/** Elements in order, or nested by dimension: the protocol allows both. */
function tensorOfJSON(
  name: string,
  { type, shape, data }: { type: TensorType; shape: number[]; data: unknown[] },
): Tensor {
  if (type === 'float16') throw malformed(`output ${name}: FP16 has no writing in JSON`)
  const values: unknown[] = data.flat(shape.length)
  checkCount(name, values, { type, shape })
  const tensor = zeros(type, shape)
  for (const [index, value] of values.entries()) {
    if (typeof value !== 'number' && typeof value !== 'boolean') throw malformed(`output ${name} holds no numbers`)
    if (tensor.type === 'int64') tensor.data[index] = BigInt(Math.trunc(Number(value)))
    else tensor.data[index] = Number(value)
  }
  return tensor
}

function parsed<Schema extends z.ZodType>(schema: Schema, answer: HttpAnswer, what: string): z.output<Schema> {
  let json: unknown
  try {
    json = JSON.parse(answer.body.toString('utf8'))
  } catch {
    throw malformed(`${what} is no JSON`)
  }
  const result = schema.safeParse(json)
  if (!result.success) throw malformed(`${what}: ${result.error.issues[0]?.path.join('.')} is not as expected`)
  return result.data
}
