import { type AnswerOf, addressOf, type InputOf, newKey, type Operation } from './call.ts'
import { Problem } from './problem.ts'

export interface SendFileOptions {
  contentType: string
  /** The part that is sent, 0 to 1. */
  onProgress?(part: number): void
  signal?: AbortSignal
}

/**
 * Calls an operation whose body is a file, or text that is no JSON, and says how far it is.
 * @throws Problem with the node's own sentence
 */
export function sendFile<O extends Operation>(
  operation: O,
  input: InputOf<O>,
  body: Blob,
  { contentType, onProgress, signal }: SendFileOptions,
): Promise<AnswerOf<O>> {
  const request = new XMLHttpRequest()
  const sent = new Promise<AnswerOf<O>>((resolve, reject) => {
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0))
    request.addEventListener('error', () =>
      reject(new Problem(0, 'no-answer', 'The node does not answer. It may be restarting.')),
    )
    request.addEventListener('abort', () => reject(new DOMException('Cancelled', 'AbortError')))
    request.addEventListener('load', () => {
      const answer = parsed(request.responseText)
      if (request.status >= 200 && request.status < 300) return resolve(answer as AnswerOf<O>)
      const told = answer as { code?: string; detail?: string } | null
      const sentence = told?.detail ?? `The node answered with HTTP ${request.status}.`
      reject(new Problem(request.status, told?.code ?? `http-${request.status}`, sentence))
    })
  })
  request.open(operation.slice(0, operation.indexOf(' ')), addressOf(operation, input))
  request.setRequestHeader('accept', 'application/json')
  request.setRequestHeader('content-type', contentType)
  request.setRequestHeader('idempotency-key', newKey())
  signal?.addEventListener('abort', () => request.abort())
  request.send(body)
  return sent
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
