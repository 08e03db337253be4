import { createHash } from 'node:crypto'

/** A context that was accepted, as the answer says. */
export interface Accepted {
  abstractSyntax: string
  transferSyntax: string
}

/** A request that was sent to its last byte. */
export interface SentRequest {
  context: number
  commandField: number
  messageID: number
  sopInstance: string
  hasDataSet: boolean
  /** SHA-256 of the data set's bytes. */
  digest: string
}

/** What was sent on a connection, read as the standard says (PS3.8 9.3, annex E; PS3.7 6.3), by other code than the node's. */
export interface Sent {
  requests: SentRequest[]
  /** What the sender broke: an A-ABORT is due. Null while nothing is wrong. */
  violation: string | null
  /** The bytes end inside a PDU or a message. */
  incomplete: boolean
  released: boolean
  aborted: boolean
}

/** The longest command set that the node takes, in bytes. */
const longestCommand = 64 * 1024

class Violation extends Error {}

/**
 * Reads what a peer sent.
 * @param contexts accepted ones; null while the association is not accepted
 */
export function readSent(bytes: Buffer, contexts: ReadonlyMap<number, Accepted> | null): Sent {
  const sent: Sent = { requests: [], violation: null, incomplete: false, released: false, aborted: false }
  try {
    new Reading(sent, contexts).read(bytes)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    sent.violation = error.message
  }
  return sent
}

class Reading {
  readonly #sent: Sent
  readonly #contexts: ReadonlyMap<number, Accepted> | null
  #associated = false
  #command: Buffer[] = []
  #dataSet = createHash('sha256')
  /** The request whose data set is due. */
  #awaited: SentRequest | null = null
  #context = -1
  #commandLength = 0

  constructor(sent: Sent, contexts: ReadonlyMap<number, Accepted> | null) {
    this.#sent = sent
    this.#contexts = contexts
  }

  read(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length && !this.#sent.released && !this.#sent.aborted) {
      if (at + 6 > bytes.length) {
        this.#sent.incomplete = true
        return
      }
      const [type, length] = [bytes[at] as number, bytes.readUInt32BE(at + 2)]
      const body = bytes.subarray(at + 6, at + 6 + length)
      this.#checkHeader(type, length)
      const whole = body.length === length
      if (type === 4) this.#data(body, length)
      else if (whole) this.#other(type)
      if (!whole) {
        this.#sent.incomplete = true
        return
      }
      at += 6 + length
    }
    if (this.#awaited !== null || this.#context >= 0) this.#sent.incomplete = true
  }

  #checkHeader(type: number, length: number): void {
    if (type < 1 || type > 7) throw new Violation(`PDU type ${type}`)
    if (type >= 3 && type !== 4 && length !== 4) throw new Violation(`PDU type ${type} of ${length} bytes`)
    if (type <= 2 && (length < 68 || length > 512 * 1024)) throw new Violation(`association PDU of ${length} bytes`)
    if (type === 4 && ((length > 0 && length < 6) || length > 16 * 1024 * 1024))
      throw new Violation(`P-DATA-TF of ${length} bytes`)
  }

  #other(type: number): void {
    if (type === 7) this.#sent.aborted = true
    else if (type === 1 && !this.#associated) this.#associated = true
    else if (type === 5 && this.#associated && this.#context < 0) this.#sent.released = true
    else throw new Violation(`PDU type ${type} out of its order`)
  }

  /** @param announced length of the PDU's variable part, of which `body` may be the beginning */
  #data(body: Buffer, announced: number): void {
    if (!this.#associated && announced > 0) {
      if (body.length >= 6) throw new Violation('P-DATA-TF without an association')
      return
    }
    let at = 0
    while (at + 6 <= body.length) {
      const length = body.readUInt32BE(at)
      if (length < 2 || at + 4 + length > announced) throw new Violation(`a value of ${length} bytes`)
      const head = { context: body[at + 4] as number, control: body[at + 5] as number }
      const value = body.subarray(at + 6, at + 4 + length)
      this.#value(head, value, value.length === length - 2)
      at += 4 + length
      if (announced - at > 0 && announced - at < 6) throw new Violation('bytes behind the last value')
    }
  }

  #value(head: { context: number; control: number }, value: Buffer, whole: boolean): void {
    const command = (head.control & 1) !== 0
    if (this.#contexts?.has(head.context) !== true) throw new Violation(`context ${head.context}`)
    if (command === (this.#awaited !== null)) throw new Violation('a command where a data set is due, or the reverse')
    if (this.#context >= 0 && this.#context !== head.context) throw new Violation('interleaved messages')
    this.#context = head.context
    if (command) {
      this.#commandLength += value.length
      if (this.#commandLength > longestCommand) throw new Violation('a command set without end')
      this.#command.push(value)
    } else this.#dataSet.update(value)
    if (!whole || (head.control & 2) === 0) return
    if (command) this.#commandEnded()
    else this.#dataSetEnded()
  }

  #commandEnded(): void {
    const request = requestOf(Buffer.concat(this.#command), this.#context)
    this.#command = []
    this.#commandLength = 0
    if (request.hasDataSet) this.#awaited = request
    else {
      this.#context = -1
      this.#sent.requests.push(request)
    }
  }

  #dataSetEnded(): void {
    const request = this.#awaited as SentRequest
    request.digest = this.#dataSet.digest('hex')
    this.#dataSet = createHash('sha256')
    this.#awaited = null
    this.#context = -1
    this.#sent.requests.push(request)
  }
}

function requestOf(bytes: Buffer, context: number): SentRequest {
  const elements = readCommand(bytes)
  const commandField = elements.get(0x0100)
  if (commandField === undefined) throw new Violation('a command set without Command Field')
  for (const element of [0x0100, 0x0110, 0x0120, 0x0800, 0x0900])
    if ((elements.get(element)?.length ?? 2) < 2) throw new Violation('a number without a value')
  const number = commandField.readUInt16LE(0)
  if ((number & 0x8000) !== 0) throw new Violation('a response that nobody asked for')
  return {
    context,
    commandField: number,
    messageID: elements.get(0x0110)?.readUInt16LE(0) ?? 0,
    sopInstance: (elements.get(0x1000) ?? elements.get(0x1001))?.toString('latin1').replace(/[\0 ]+$/, '') ?? '',
    hasDataSet: elements.get(0x0800)?.readUInt16LE(0) !== 0x0101,
    digest: '',
  }
}

/**
 * The elements of a command set by their numbers.
 * @throws when it is malformed
 */
export function readCommand(bytes: Buffer): Map<number, Buffer> {
  const elements = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length) throw new Violation('a command set that ends inside a header')
    const [group, element, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2), bytes.readUInt32LE(at + 4)]
    if (group !== 0) throw new Violation(`group ${group} in a command set`)
    if (at + 8 + length > bytes.length) throw new Violation('an element that leads beyond its command set')
    const value = bytes.subarray(at + 8, at + 8 + length)
    if ([0x0100, 0x0110, 0x0120, 0x0800, 0x0900].includes(element) && length < 2)
      throw new Violation('a number without a value')
    elements.set(element, value)
    at += 8 + length
  }
  return elements
}
