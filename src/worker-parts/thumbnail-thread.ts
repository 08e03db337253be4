import { parentPort } from 'node:worker_threads'
import { chooseImage, drawThumbnail, type ThumbnailRequest } from './thumbnail.ts'

/** A thread that makes small pictures, one after the other: see flow/thumbnails.ts. Whatever cannot be drawn is answered by null. */
const port = parentPort
if (!port) throw new Error('a thread for small pictures is started by the node')

port.on('message', (request: ThumbnailRequest) => {
  const answer = request.kind === 'choose' ? chooseImage(request.path) : drawThumbnail(request)
  answer.then(
    (value) => port.postMessage({ value }),
    (error: unknown) => port.postMessage({ value: null, reason: error instanceof Error ? error.name : 'unknown' }),
  )
})
