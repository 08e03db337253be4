import { RequestError } from '../dicomweb/request-error.ts'

/** How slow a sender may be. Only the time that is spent waiting for it counts. */
export interface Pace {
  /** ms without a byte. */
  idleMs: number
  /** ms of waiting in which `slowBytes` have to come. */
  slowMs: number
  slowBytes: number
}

export const defaultPace: Pace = { idleMs: 60_000, slowMs: 120_000, slowBytes: 16 * 1024 }

/**
 * Hands bytes on as they come, and gives a sender up that has stopped or that sends next to nothing: it holds a request and a file.
 * @throws RequestError 'timed-out'; the source is left as it is then
 */
export async function* paced(source: AsyncIterable<Buffer>, pace: Pace): AsyncGenerator<Buffer, void, void> {
  const chunks = source[Symbol.asyncIterator]()
  let waited = 0
  let bytes = 0
  let isPending = false
  try {
    for (;;) {
      const begun = performance.now()
      isPending = true
      const { value, done } = await within(chunks.next(), pace.idleMs)
      isPending = false
      if (done) return
      waited += performance.now() - begun
      bytes += value.length
      if (bytes >= pace.slowBytes) [waited, bytes] = [0, 0]
      else if (waited > pace.slowMs)
        throw timedOut(`fewer than ${pace.slowBytes} bytes came in ${pace.slowMs / 1000} s`)
      yield value
    }
  } finally {
    // A generator that is waiting for its next value cannot be ended: its end would wait as well.
    if (!isPending) await chunks.return?.()
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut(`nothing came for ${ms / 1000} s`)), ms)
  })
  // Whoever is not waited for any more may fail unheard.
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function timedOut(reason: string): RequestError {
  return new RequestError('timed-out', `The request is given up: ${reason}.`, { retry: 'transient' })
}
