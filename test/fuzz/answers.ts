import { type Accepted, readCommand } from './model.ts'

/** A response of the node, or a request of its own. */
export interface AnsweredMessage {
  context: number
  commandField: number
  respondedTo: number
  status: number | null
  sopInstance: string
  comment: string
}

/** What came back on a connection. */
export interface Answers {
  kind: 'accepted' | 'rejected' | 'none'
  contexts: Map<number, Accepted>
  /** Operations that we may have under way; 1 where nothing was negotiated. */
  window: number
  messages: AnsweredMessage[]
  aborted: boolean
  released: boolean
  /** The node's last PDU has not come to its end. */
  broken: boolean
}

/** A rule of the standard that the node's bytes break. */
export class Malformed extends Error {}

/** Values of an A-ASSOCIATE-RJ that the standard names (PS3.8 table 9-21), as result, source, reason. */
const rejections = new Set(['112', '111', '113', '117', '121', '122', '231', '232', '211', '212', '221'])

/** Reads what the node sends, strictly. */
export class AnswerReader {
  readonly answers: Answers = {
    kind: 'none',
    contexts: new Map(),
    window: 1,
    messages: [],
    aborted: false,
    released: false,
    broken: false,
  }
  /** Bytes of a P-DATA-TF's variable part that we announced; 0: no limit. */
  readonly #maxPdu: number
  #bytes: Buffer = Buffer.alloc(0)
  #command: Buffer[] = []
  #dataSetOf = -1

  constructor(maxPdu: number) {
    this.#maxPdu = maxPdu
  }

  /** @throws {Malformed} */
  take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 6) {
      const length = this.#bytes.readUInt32BE(2)
      if (length > 1024 * 1024) throw new Malformed(`a PDU of ${length} bytes`)
      if (this.#bytes.length < 6 + length) break
      const [type, body] = [this.#bytes[0] as number, this.#bytes.subarray(6, 6 + length)]
      this.#bytes = this.#bytes.subarray(6 + length)
      this.#pdu(type, body)
    }
    this.answers.broken = this.#bytes.length > 0
  }

  #pdu(type: number, body: Buffer): void {
    const { answers } = this
    // What comes after a release may be answered by A-ABORT (PS3.8 table 9-10, Sta13, AA-7).
    if (answers.aborted || (answers.released && type !== 7) || answers.kind === 'rejected')
      throw new Malformed(`PDU type ${type} after the last one`)
    if (type === 7) {
      const [source, reason] = [body[2] as number, body[3] as number]
      const known = source === 0 ? reason === 0 : source === 2 && [0, 1, 2, 4, 5, 6].includes(reason)
      if (body.length !== 4 || !known) throw new Malformed(`A-ABORT ${body.toString('hex')}`)
      answers.aborted = true
      return
    }
    if (type === 2 && answers.kind === 'none') return this.#accept(body)
    if (type === 3 && answers.kind === 'none') {
      if (body.length !== 4 || !rejections.has(`${body[1]}${body[2]}${body[3]}`))
        throw new Malformed(`A-ASSOCIATE-RJ ${body.toString('hex')}`)
      answers.kind = 'rejected'
      return
    }
    if (answers.kind !== 'accepted') throw new Malformed(`PDU type ${type} before the association is accepted`)
    if (type === 4) return this.#data(body)
    if (type === 6 && body.length === 4) {
      answers.released = true
      return
    }
    throw new Malformed(`PDU type ${type} of ${body.length} bytes`)
  }

  #accept(body: Buffer): void {
    const { answers } = this
    answers.kind = 'accepted'
    if (body.length < 68 || body.readUInt16BE(0) !== 1) throw new Malformed('A-ASSOCIATE-AC without its fixed part')
    const types: number[] = []
    for (const { type, value } of itemsOf(body, 68)) {
      types.push(type)
      if (type === 0x10 && value.toString('latin1') !== '1.2.840.10008.3.1.1.1')
        throw new Malformed('application context')
      if (type === 0x21) this.#context(value)
      if (type === 0x50) this.#userInformation(value)
    }
    const once = (type: number) => types.filter((found) => found === type).length === 1
    if (!once(0x10) || !once(0x50) || types.some((type) => ![0x10, 0x21, 0x50].includes(type)))
      throw new Malformed(`items of A-ASSOCIATE-AC: ${types.join()}`)
  }

  #context(value: Buffer): void {
    const [id, , result] = value as unknown as [number, number, number]
    const items = itemsOf(value, 4)
    if (id % 2 === 0 || result > 4 || items.length !== 1 || items[0]?.type !== 0x40)
      throw new Malformed('a context item')
    if (this.answers.contexts.has(id)) throw new Malformed(`context ${id} answered twice`)
    if (result === 0)
      this.answers.contexts.set(id, { abstractSyntax: '', transferSyntax: items[0].value.toString('latin1') })
  }

  #userInformation(value: Buffer): void {
    const items = itemsOf(value, 0)
    const length = items.find((item) => item.type === 0x51)?.value
    if (length?.length !== 4 || length.readUInt32BE(0) < 4096) throw new Malformed('the maximum length item')
    if (!items.some((item) => item.type === 0x52)) throw new Malformed('no implementation class UID')
    const window = items.find((item) => item.type === 0x53)?.value
    if (window && window.length !== 4) throw new Malformed('the asynchronous operations window')
    if (window) this.answers.window = window.readUInt16BE(0)
  }

  #data(body: Buffer): void {
    if (this.#maxPdu > 0 && body.length > this.#maxPdu)
      throw new Malformed(`P-DATA-TF of ${body.length} bytes, ${this.#maxPdu} are taken`)
    let at = 0
    while (at < body.length) {
      if (at + 6 > body.length || body.readUInt32BE(at) < 2 || at + 4 + body.readUInt32BE(at) > body.length)
        throw new Malformed('the values of a P-DATA-TF')
      const end = at + 4 + body.readUInt32BE(at)
      this.#value(body[at + 4] as number, body[at + 5] as number, body.subarray(at + 6, end))
      at = end
    }
  }

  #value(context: number, control: number, value: Buffer): void {
    if (!this.answers.contexts.has(context)) throw new Malformed(`context ${context} was not accepted`)
    if (control > 3) throw new Malformed(`message control header ${control}`)
    const command = (control & 1) !== 0
    if (command === this.#dataSetOf >= 0) throw new Malformed('a command where a data set is due, or the reverse')
    if (command) this.#command.push(value)
    if ((control & 2) === 0) return
    if (!command) {
      this.#dataSetOf = -1
      return
    }
    const bytes = Buffer.concat(this.#command)
    this.#command = []
    if (this.#message(context, bytes)) this.#dataSetOf = context
  }

  /** @returns whether a data set follows */
  #message(context: number, bytes: Buffer): boolean {
    const elements = readCommand(bytes)
    const order = [...elements.keys()]
    if (order.some((element, index) => index > 0 && element <= (order[index - 1] as number)))
      throw new Malformed('the order of a command set')
    if (elements.get(0)?.readUInt32LE(0) !== bytes.length - 12) throw new Malformed('the length of a command set')
    for (const [element, value] of elements)
      if (value.length % 2 === 1) throw new Malformed(`the length of element ${element}`)
    const number = (element: number): number | null => elements.get(element)?.readUInt16LE(0) ?? null
    const words = (element: number): string =>
      elements
        .get(element)
        ?.toString('latin1')
        .replace(/[\0 ]+$/, '') ?? ''
    const [commandField, dataSetType] = [number(0x0100), number(0x0800)]
    if (commandField === null || dataSetType === null) throw new Malformed('a command set without its basic elements')
    const isResponse = (commandField & 0x8000) !== 0
    if (isResponse && (number(0x0120) === null || number(0x0900) === null))
      throw new Malformed('a response without status')
    if (words(0x0902).length > 64) throw new Malformed('an error comment beyond 64 characters')
    this.answers.messages.push({
      context,
      commandField,
      respondedTo: number(0x0120) ?? 0,
      status: number(0x0900),
      sopInstance: words(0x1000) || words(0x1001),
      comment: words(0x0902),
    })
    return dataSetType !== 0x0101
  }
}

function itemsOf(bytes: Buffer, start: number): { type: number; value: Buffer }[] {
  const items: { type: number; value: Buffer }[] = []
  for (let at = start; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Malformed('an item that ends inside its head')
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    if (end > bytes.length) throw new Malformed('an item that leads beyond its end')
    items.push({ type: bytes[at] as number, value: bytes.subarray(at + 4, end) })
    at = end
  }
  return items
}
