import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { grpcServerDouble } from '../../infer/runtime/grpc-server-double.ts'
import { binaryAnswer, inferenceServerDouble, json } from '../../infer/runtime/inference-server-double.ts'
import { size } from './pipelines.ts'

/** Servers of the Open Inference Protocol whose models do what their names say. */
export interface Servers {
  http: string
  grpc: string
  /** Closes every connection as soon as it is asked anything. */
  dropping: string
  close(): Promise<void>
}

const elements = size[0] * size[1]
const metadata = (name: string) => ({
  name,
  inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, -1, -1] }],
  outputs: [{ name: 'scaled', datatype: 'FP32', shape: [-1, 1, -1, -1] }],
})
const notANumber = Buffer.from(new Float32Array(elements).fill(Number.NaN).buffer)

function answer(response: ServerResponse, shape: readonly number[], tensor: Buffer): void {
  const parameters = { binary_data_size: tensor.length }
  binaryAnswer(response, { outputs: [{ name: 'scaled', datatype: 'FP32', shape, parameters }] }, [tensor])
}

/** What models of the HTTP server do when they are asked to infer. */
const models: Record<string, (response: ServerResponse) => void> = {
  hangs: () => {},
  'closes-in-the-middle': (response) => {
    response.writeHead(200, { 'content-length': '4096' })
    response.write(Buffer.alloc(100), () => response.destroy())
  },
  'wrong-shape': (response) => answer(response, [1, 3, 2, 2], Buffer.alloc(48)),
  'too-few-bytes': (response) => answer(response, [1, 1, size[1], size[0]], Buffer.alloc(12)),
  'shape-without-end': (response) =>
    json(response, 200, {
      outputs: [{ name: 'scaled', datatype: 'FP32', shape: [1, 1, 2 ** 30, 2 ** 30], data: [1] }],
    }),
  'not-a-number': (response) => answer(response, [1, 1, size[1], size[0]], notANumber),
  'endless-body': (response) => {
    const chunk = Buffer.alloc(2 ** 20)
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    }
    response.writeHead(200)
    response.on('drain', more)
    more()
  },
  'endless-trickle': (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(timer))
  },
  fails: (response) => json(response, 500, { error: 'CUDA error: an illegal memory access was encountered' }),
}

export async function misbehavingServers(): Promise<Servers> {
  const http = await inferenceServerDouble()
  http.answer = ({ path }, response) => {
    const [, name = '', rest] = /\/v2\/models\/([^/]+)(\/ready|\/infer)?$/.exec(path) ?? []
    const infer = models[name]
    if (!infer) return false
    if (rest === '/infer') infer(response)
    else json(response, 200, rest ? { ready: true } : metadata(name))
    return true
  }
  const rpc = await grpcServerDouble()
  rpc.models.push('hangs', 'wrong-shape', 'too-few-bytes', 'too-much', 'not-a-number', 'fails')
  rpc.answer = (done, { model_name: name }) => {
    const give = (shape: number[], tensor: Buffer): void =>
      done(null, { outputs: [{ name: 'scaled', datatype: 'FP32', shape }], raw_output_contents: [tensor] })
    const shape = [1, 1, size[1], size[0]]
    switch (name) {
      case 'wrong-shape':
        return give([1, 3, 2, 2], Buffer.alloc(48))
      case 'too-few-bytes':
        return give(shape, Buffer.alloc(12))
      case 'too-much':
        return give([1, 1, 4096, 2048], Buffer.alloc(2 ** 25))
      case 'not-a-number':
        return give(shape, notANumber)
      case 'fails':
        return done({ code: grpc.status.INTERNAL, details: 'CUDA error: an illegal memory access was encountered' })
      case 'scale':
        return give(shape, Buffer.alloc(4 * elements))
    }
  }
  const dropping = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.destroy())
  })
  await new Promise<void>((resolve) => dropping.listen(0, '127.0.0.1', resolve))
  const address = dropping.address() as { port: number }
  return {
    http: http.url,
    grpc: `http://127.0.0.1:${rpc.port}`,
    dropping: `http://127.0.0.1:${address.port}`,
    close: async () => {
      await http.close()
      rpc.server.forceShutdown()
      await new Promise((resolve) => dropping.close(resolve))
    },
  }
}
