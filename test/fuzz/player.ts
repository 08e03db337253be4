import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnsweredMessage, AnswerReader, type Answers } from './answers.ts'
import type { Cut, FuzzCase } from './cases.ts'
import { readSent, type Sent, type SentRequest } from './model.ts'
import { Random } from './random.ts'

/** What came of a case. */
export interface Played {
  sent: Sent
  answers: Answers
  /** Requests with their last response. */
  answered: { request: SentRequest; response: AnsweredMessage }[]
  /** `node`: it closed by itself; `peer`: after our FIN; `reset`: we cut it; `hang`: it did not close in time. */
  closedBy: 'node' | 'peer' | 'reset' | 'hang'
  /** Rules that the node broke, as sentences; empty where everything is right. */
  faults: string[]
  /** Requests that the node may have performed: more than `sent` holds where its answer to the association was not read. */
  possible: SentRequest[]
}

/** ms in which an answer or an end has to come, on a machine that does other things as well. */
const patienceMs = 45_000

/** Every odd ID, as if all of them were accepted. */
const anyContext = new Map(
  Array.from({ length: 128 }, (_, n) => [2 * n + 1, { abstractSyntax: '', transferSyntax: '' }]),
)

/** C-CANCEL-RQ is the one request without a response (PS3.7 9.3.2.3). */
const cancelRequest = 0x0fff

/** Plays a case on a connection of its own. */
export async function play(fuzzCase: FuzzCase, port: number): Promise<Played> {
  const player = new Player(fuzzCase)
  return player.run(port)
}

class Player {
  readonly #case: FuzzCase
  readonly #reader: AnswerReader
  readonly #written: Buffer[] = []
  readonly #faults: string[] = []
  readonly #random: Random
  #socket!: Socket
  #read: { state: string; sent: Sent; due: number } | null = null
  /** Messages looked at, and final responses among them. */
  #counted = 0
  #last = 0
  #closed = false
  #finished = false
  #wake: (() => void)[] = []

  constructor(fuzzCase: FuzzCase) {
    this.#case = fuzzCase
    this.#reader = new AnswerReader(fuzzCase.maxPdu)
    this.#random = new Random(fuzzCase.steps.length, fuzzCase.maxPdu)
  }

  async run(port: number): Promise<Played> {
    const socket = connect(port, '127.0.0.1')
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#closed = true
      this.#wakeAll()
    })
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
    let closedBy: Played['closedBy'] | null = null
    for (const step of this.#case.steps) {
      if (this.#closed) break
      if (step.do === 'send') await this.#send(step.bytes, step.cut)
      else if (step.do === 'await-association') await this.#until(() => this.#reader.answers.kind !== 'none')
      else if (step.do === 'await-answers') await this.#until(() => this.#isAnswered())
      else if (step.do === 'stop-reading') this.#stopReading(step.ms)
      else if (step.do === 'half-close') closedBy = await this.#halfClose()
      else if (step.do === 'stall') closedBy = (await this.#until(() => false)) ? 'node' : 'hang'
      else if (step.do === 'reset') {
        socket.resetAndDestroy()
        closedBy = 'reset'
      }
    }
    closedBy ??= await this.#end()
    this.#finished = true
    socket.destroy()
    return this.#outcome(closedBy)
  }

  /** Waits for what is due, then closes as a peer does. */
  async #end(): Promise<Played['closedBy']> {
    const { answers } = this.#reader
    const { violation, released, aborted } = this.#sent()
    if (violation !== null || aborted) return (await this.#until(() => false)) ? 'node' : 'hang'
    if (released) {
      const came = await this.#until(() => answers.released)
      return came ? (this.#closed ? 'node' : 'peer') : 'hang'
    }
    // A request in its whole length has an answer, and so has each message; then it is for us to go.
    const hasRequest = this.#case.steps.some((step) => step.do === 'send' && step.bytes[0] === 1)
    if (hasRequest && !this.#sent().incomplete) await this.#until(() => answers.kind !== 'none' || this.#closed)
    await this.#until(() => this.#isAnswered())
    return this.#halfClose()
  }

  async #halfClose(): Promise<Played['closedBy']> {
    if (this.#closed) return 'node'
    this.#socket.end()
    return (await this.#until(() => false)) ? 'peer' : 'hang'
  }

  /** Waits for a condition or the end of the connection; false when neither came in time. */
  async #until(condition: () => boolean): Promise<boolean> {
    const end = performance.now() + patienceMs + this.#case.patienceMs
    while (!this.#closed && !condition()) {
      const left = end - performance.now()
      if (left <= 0) return false
      const waiting = new AbortController()
      await Promise.race([
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        sleep(left, undefined, { signal: waiting.signal }).catch(() => undefined),
      ])
      waiting.abort()
    }
    return true
  }

  async #send(bytes: Buffer, cut: Cut): Promise<void> {
    this.#written.push(bytes)
    for (const part of cutBytes(this.#random, bytes, cut)) {
      if (this.#closed || !this.#socket.writable) return
      const more = this.#socket.write(part)
      if (!more) await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]).catch(() => undefined)
      // The next part leaves in a segment of its own.
      if (cut !== 'whole') await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #stopReading(ms: number): void {
    this.#socket.pause()
    setTimeout(() => this.#socket.resume(), ms).unref()
  }

  #take(bytes: Buffer): void {
    if (this.#finished) return
    try {
      this.#reader.take(bytes)
    } catch (error) {
      this.#faults.push(`malformed answer: ${error instanceof Error ? error.message : String(error)}`)
      this.#socket.destroy()
    }
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** What was sent so far; read again only when more was sent, or the contexts have become known. */
  #sent(): Sent {
    const { kind, contexts } = this.#reader.answers
    const state = `${this.#written.length} ${kind}`
    if (this.#read?.state !== state) {
      const sent = readSent(Buffer.concat(this.#written), kind === 'accepted' ? contexts : null)
      this.#read = {
        state,
        sent,
        due: sent.requests.filter((request) => request.commandField !== cancelRequest).length,
      }
    }
    return this.#read.sent
  }

  #isAnswered(): boolean {
    const { answers } = this.#reader
    if (answers.kind === 'rejected' || answers.aborted) return this.#closed
    this.#sent()
    for (; this.#counted < answers.messages.length; this.#counted++)
      if (isLast(answers.messages[this.#counted] as AnsweredMessage)) this.#last++
    return this.#last >= (this.#read?.due ?? 0)
  }

  #outcome(closedBy: Played['closedBy']): Played {
    const { answers } = this.#reader
    const sent = this.#sent()
    const faults = this.#faults
    if (closedBy === 'hang') faults.push(hangSentence(sent, answers))
    const answered = pair(sent.requests, answers.messages, faults)
    if (closedBy === 'node' && sent.violation !== null && !answers.aborted && answers.kind !== 'rejected')
      faults.push(`closed without A-ABORT after ${sent.violation}`)
    if (this.#case.valid) faults.push(...shortcomings(sent, answers, answered.length))
    const possible =
      answers.kind === 'none' ? readSent(Buffer.concat(this.#written), anyContext).requests : sent.requests
    return { sent, answers, answered, closedBy, faults, possible }
  }
}

function hangSentence(sent: Sent, answers: Answers): string {
  if (sent.violation !== null) return `no A-ABORT after ${sent.violation}`
  if (sent.released && !answers.released) return 'no A-RELEASE-RP'
  return 'the connection was not closed'
}

/** A response that is not followed by another to the same request (PS3.7 annex C: 0xFF00 and 0xFF01 are pending). */
const isLast = (message: AnsweredMessage): boolean =>
  (message.commandField & 0x8000) !== 0 && message.status !== 0xff00 && message.status !== 0xff01

/** Finds the request of each response; one that has none is a fault. */
function pair(requests: SentRequest[], messages: AnsweredMessage[], faults: string[]): Played['answered'] {
  const open = requests.filter((request) => request.commandField !== cancelRequest)
  const answered: Played['answered'] = []
  for (const response of messages) {
    // Requests of the node's own: a report about a commitment that was asked for.
    if ((response.commandField & 0x8000) === 0) {
      if (response.commandField !== 0x0100) faults.push(`an unasked request of type ${response.commandField}`)
      continue
    }
    const at = open.findIndex((request) => isAnsweredBy(request, response))
    if (at < 0) {
      faults.push(
        `a response (${response.commandField.toString(16)}) to message ${response.respondedTo}, which was not sent whole`,
      )
      continue
    }
    const request = open[at] as SentRequest
    if (!isLast(response)) continue
    open.splice(at, 1)
    answered.push({ request, response })
  }
  return answered
}

function isAnsweredBy(request: SentRequest, response: AnsweredMessage): boolean {
  const sameInstance = response.sopInstance === '' || response.sopInstance === request.sopInstance
  return (
    response.commandField === ((request.commandField | 0x8000) & 0xffff) &&
    response.respondedTo === request.messageID &&
    response.context === request.context &&
    (request.commandField !== 1 || sameInstance)
  )
}

/** What is missing where nothing was wrong. */
function shortcomings(sent: Sent, answers: Answers, answered: number): string[] {
  const missing: string[] = []
  if (sent.violation !== null || sent.incomplete) missing.push(`the case is not valid: ${sent.violation}`)
  if (answers.kind !== 'accepted') missing.push(`a valid association was not accepted: ${answers.kind}`)
  if (answers.aborted) missing.push('a valid association was aborted')
  if (answered < sent.requests.length)
    missing.push(`${sent.requests.length - answered} valid requests were not answered`)
  if (!answers.released) missing.push('a valid release was not answered')
  return missing
}

function cutBytes(random: Random, bytes: Buffer, cut: Cut): Buffer[] {
  if (cut === 'whole') return [bytes]
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = cut === 'bytes' ? 1 : random.pick([1, 5, 60, 1400, 1460, 5000, 65_536, bytes.length >> 2])
    parts.push(bytes.subarray(at, at + Math.max(1, length)))
    at += Math.max(1, length)
  }
  // Large streams in tiny parts cost minutes and show nothing more.
  return parts.length > 1500 ? [bytes] : parts
}
