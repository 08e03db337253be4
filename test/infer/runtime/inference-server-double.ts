import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A double of an inference server, made from the text of the Open Inference Protocol v2 and of its extension for binary tensors; no real server was
 * at hand. It is strict: what the protocol does not allow is answered with 400. Its model `scale` multiplies FP32 numbers by two.
 */
export interface InferenceServerDouble {
  url: string
  /** What it was asked, in order: method, path and headers. */
  requests: { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }[]
  /** Answers in place of its own. */
  answer: ((request: { path: string; body: Buffer }, response: ServerResponse) => boolean) | null
  close(): Promise<void>
}

const metadata = {
  name: 'scale',
  versions: ['1', '2'],
  platform: 'double',
  inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, -1, -1] }],
  outputs: [
    { name: 'scaled', datatype: 'FP32', shape: [-1, 1, -1, -1] },
    { name: 'count', datatype: 'INT64', shape: [1] },
  ],
}

export async function inferenceServerDouble(): Promise<InferenceServerDouble> {
  const double: InferenceServerDouble = { url: '', requests: [], answer: null, close: async () => {} }
  const server = createServer((request, response) => void serve(double, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  double.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`
  double.close = () => closed(server)
  return double
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

async function serve(double: InferenceServerDouble, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const path = request.url ?? ''
  const { method = '', headers } = request
  double.requests.push({ method, path, headers, body })
  if (double.answer?.({ path, body }, response)) return
  if (method === 'GET' && path === '/base/v2')
    return json(response, 200, { name: 'double', version: '1', extensions: ['binary_tensor_data'] })
  const [, model, version, rest] =
    /^\/base\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/.exec(path) ?? []
  if (model !== 'scale') return json(response, 404, { error: `unknown model ${model}` })
  if (version !== undefined && !metadata.versions.includes(version))
    return json(response, 404, { error: 'unknown version' })
  if (method === 'GET') return json(response, 200, rest === '/ready' ? { ready: true } : metadata)
  if (method === 'POST' && rest === '/infer') return infer(request, body, response)
  return json(response, 405, { error: 'method not allowed' })
}

interface Header {
  inputs: { name: string; datatype: string; shape: number[]; parameters?: { binary_data_size?: number } }[]
  outputs?: { name: string; parameters?: { binary_data?: boolean } }[]
}

function infer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const wrong = (error: string): void => json(response, 400, { error })
  const length = Number(request.headers['inference-header-content-length'])
  if (!Number.isInteger(length) || length > body.length)
    return wrong('Inference-Header-Content-Length is missing or wrong')
  if (request.headers['content-length'] !== String(body.length)) return wrong('Content-Length is missing or wrong')
  const header = JSON.parse(body.toString('utf8', 0, length)) as Header
  const [input, ...others] = header.inputs
  if (!input || others.length > 0 || input.name !== 'image' || input.datatype !== 'FP32')
    return wrong('one FP32 input image is expected')
  const size = input.parameters?.binary_data_size
  const elements = input.shape.reduce((product, dim) => product * dim, 1)
  if (size !== 4 * elements || length + size !== body.length)
    return wrong('binary_data_size does not match the shape or the body')
  const tensor = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4) tensor.writeFloatLE(2 * body.readFloatLE(length + at), at)
  const wanted = header.outputs ?? []
  if (wanted.some(({ name }) => !metadata.outputs.some((o) => o.name === name))) return wrong('unexpected output')
  // The count is always in the JSON, whatever was asked for: answers may mix both.
  const outputs = wanted.map(({ name, parameters }) =>
    name === 'count'
      ? { name, datatype: 'INT64', shape: [1], data: [elements] }
      : parameters?.binary_data
        ? { name, datatype: 'FP32', shape: input.shape, parameters: { binary_data_size: size } }
        : {
            name,
            datatype: 'FP32',
            shape: input.shape,
            data: [...new Float32Array(tensor.buffer, tensor.byteOffset, elements)],
          },
  )
  const binary = wanted.some(({ name, parameters }) => name === 'scaled' && parameters?.binary_data)
  binaryAnswer(response, { model_name: 'scale', model_version: '2', outputs }, binary ? [tensor] : [])
}

/** JSON with tensors behind it, at an odd offset: nothing promises that they are aligned. */
export function binaryAnswer(response: ServerResponse, header: object, tensors: readonly Buffer[]): void {
  let text = JSON.stringify(header)
  if (Buffer.byteLength(text) % 2 === 0) text += ' '
  const bytes = Buffer.from(text)
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(bytes.length),
  })
  response.end(Buffer.concat([bytes, ...tensors]))
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
