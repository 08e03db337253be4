import { dimseStatus } from '../dimse/status.ts'
import { HilumError } from '../errors.ts'
import type { Ask, ReceiverAnswer, ReceiverQuestion } from './questions.ts'

interface Waiting {
  resolve(answer: ReceiverAnswer): void
  reject(error: HilumError): void
  timer: NodeJS.Timeout
}

export interface AskingOptions {
  /** Hands a question to the node. */
  emit(id: number, question: ReceiverQuestion): void
  /** ms until an answer is given up. */
  timeoutMs?: number
  /** Questions that may be under way at a time; one more fails at once. */
  maximum?: number
}

/** Questions of the receiving process to the node, each with its answer, for a bounded time and in a bounded number. */
export class Asking {
  readonly #options: Required<AskingOptions>
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #closed = false

  constructor(options: AskingOptions) {
    this.#options = { timeoutMs: 60_000, maximum: 1000, ...options }
  }

  /** Questions without an answer so far. */
  get underWay(): number {
    return this.#waiting.size
  }

  /** @see Ask */
  readonly ask: Ask = (question) => {
    const { emit, timeoutMs, maximum } = this.#options
    if (this.#closed) return Promise.reject(unreachable('it is gone'))
    if (this.#waiting.size >= maximum)
      return Promise.reject(unreachable(`it has not answered ${maximum} earlier questions`))
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#take(id)?.reject(unreachable(`it did not answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      this.#waiting.set(id, { resolve, reject, timer })
      emit(id, question)
    })
  }

  /** The node's answer; one that comes too late is dropped. */
  answer(id: number, answer: ReceiverAnswer): void {
    this.#take(id)?.resolve(answer)
  }

  /** The node is gone, or the process ends: whatever waits fails, and so does every further question. */
  close(): void {
    this.#closed = true
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(unreachable('it is gone'))
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    clearTimeout(waiting?.timer)
    return waiting
  }
}

function unreachable(why: string): HilumError<'node-unreachable'> {
  return new HilumError('node-unreachable', `the node does not answer: ${why}`, {
    retry: 'transient',
    detail: { status: dimseStatus.outOfResources },
  })
}

/**
 * The answer of the kind that a question has.
 * @throws {HilumError} `refused-by-node`, with the node's own status as `detail.status` where it refused, else 0x0110
 */
export function expectAnswer<About extends ReceiverAnswer['about']>(
  answer: ReceiverAnswer,
  about: About,
): Extract<ReceiverAnswer, { about: About }> {
  if (answer.about === about) return answer as Extract<ReceiverAnswer, { about: About }>
  const { comment, ...detail } =
    answer.about === 'failure'
      ? { status: answer.status, comment: answer.comment, ...(answer.errorID && { errorID: answer.errorID }) }
      : { status: dimseStatus.processingFailure, comment: 'the node gave an answer to another question' }
  throw new HilumError('refused-by-node', comment, { detail })
}
