import { parentPort } from 'node:worker_threads'
import { InferError } from '../error.ts'
import { decodeFrame, loadCodecs } from './decode.ts'
import type { DecodeAnswer, DecodeRequest } from './decode-all.ts'

/** A thread that decodes frames, one after the other: see decode-all.ts. */
const port = parentPort
if (!port) throw new Error('a decoding thread is started by the process that reads the series')

const ready = loadCodecs()
port.on('message', (request: DecodeRequest) => {
  void ready.then(() => {
    const answer = answerTo(request)
    port.postMessage(answer, 'stored' in answer ? [answer.stored.buffer as ArrayBuffer] : [])
  })
})

function answerTo({ bytes, format }: DecodeRequest): DecodeAnswer {
  try {
    return { stored: decodeFrame(bytes, format) }
  } catch (error) {
    if (error instanceof InferError) return { code: error.code, message: error.message }
    return { internal: error instanceof Error ? error.name : 'unknown' }
  }
}
