import { violation } from './error.ts'
import { abortReason, PDU, pduHeaderLength, pdvHeaderLength } from './pdu.ts'

/** The head of a presentation data value (PS3.8 9.3.5.1 and E.2). */
export interface FragmentHead {
  contextID: number
  command: boolean
  last: boolean
  /** Bytes of the value. */
  length: number
}

/** What is told about the PDUs of a connection, in their order. What it throws ends the reading. */
export interface PDUSink {
  /** A whole PDU that is not P-DATA-TF; `body` is its variable part, a copy. */
  onPDU(type: number, body: Buffer): void
  onFragmentStart(head: FragmentHead): void
  /** The next bytes of the fragment's value: a view that is valid only during the call. */
  onFragmentBytes(bytes: Buffer): void
  onFragmentEnd(): void
}

/** The longest PDUs that are read, in bytes of their variable part. */
export interface PDULimits {
  /** A-ASSOCIATE-RQ and -AC: 128 contexts with 50 transfer syntaxes each, and user information. These are gathered. */
  association: number
  /** P-DATA-TF: far above what is announced, since nothing is gathered; a header beyond it is garbage or an attack. */
  data: number
}

export const pduLimits: PDULimits = { association: 512 * 1024, data: 16 * 1024 * 1024 }

const maximumParts = 1024

type State = 'pdu-header' | 'body' | 'pdv-header' | 'pdv-body'

/**
 * Reads PDUs from the chunks of a connection, wherever the chunks are cut. The values of P-DATA-TF go straight through;
 * only association PDUs, which are small and limited, are gathered.
 */
export class PDUReader {
  readonly #sink: PDUSink
  readonly #limits: PDULimits
  #state: State = 'pdu-header'
  #stopped = false
  readonly #header = Buffer.alloc(pduHeaderLength)
  #headerLength = 0
  #type = 0
  /** Bytes of the current PDU's variable part that are still to come. */
  #pduLeft = 0
  #pdvLeft = 0
  #body: Buffer[] = []

  constructor(sink: PDUSink, limits: PDULimits = pduLimits) {
    this.#sink = sink
    this.#limits = limits
  }

  /** True between the first and the last byte of a PDU. */
  get insidePDU(): boolean {
    return this.#state !== 'pdu-header' || this.#headerLength > 0
  }

  /** Makes `read` return after the fragment or PDU under way; called by the sink. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * Reads a chunk.
   * @param chunk bytes as they came; never kept
   * @returns the number of bytes read: fewer than the chunk's when the sink called `stop`
   * @throws {DimseError} `protocol-violation`
   */
  read(chunk: Buffer): number {
    this.#stopped = false
    let offset = 0
    while (offset < chunk.length && !this.#stopped) {
      switch (this.#state) {
        case 'pdu-header':
          offset = this.#fillHeader(chunk, offset)
          if (this.#headerLength === pduHeaderLength) this.#startPDU()
          break
        case 'pdv-header':
          offset = this.#fillHeader(chunk, offset)
          if (this.#headerLength === pdvHeaderLength) this.#startFragment()
          break
        case 'pdv-body':
          offset = this.#readValue(chunk, offset)
          break
        case 'body':
          offset = this.#readBody(chunk, offset)
          break
      }
    }
    return offset
  }

  #fillHeader(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + pduHeaderLength - this.#headerLength)
    while (offset < end) this.#header[this.#headerLength++] = chunk[offset++] as number
    return offset
  }

  #startPDU(): void {
    this.#headerLength = 0
    this.#type = this.#header[0] as number
    this.#pduLeft = this.#header.readUInt32BE(2)
    checkPDULength(this.#type, this.#pduLeft, this.#limits)
    this.#state = this.#type === PDU.data ? 'pdv-header' : 'body'
    if (this.#pduLeft === 0) this.#endPDU()
  }

  #startFragment(): void {
    this.#headerLength = 0
    const length = this.#header.readUInt32BE(0)
    if (length < 2 || length + 4 > this.#pduLeft)
      throw violation(
        abortReason.invalidPDUParameterValue,
        `a presentation data value of ${length} bytes does not fit the ${this.#pduLeft} bytes left of its PDU`,
      )
    const control = this.#header[5] as number
    this.#pdvLeft = length - 2
    this.#pduLeft -= pdvHeaderLength
    this.#state = 'pdv-body'
    this.#sink.onFragmentStart({
      contextID: this.#header[4] as number,
      command: (control & 1) !== 0,
      last: (control & 2) !== 0,
      length: this.#pdvLeft,
    })
    if (this.#pdvLeft === 0) this.#endFragment()
  }

  #readValue(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#pdvLeft)
    this.#pdvLeft -= end - offset
    this.#pduLeft -= end - offset
    this.#sink.onFragmentBytes(chunk.subarray(offset, end))
    if (this.#pdvLeft === 0) this.#endFragment()
    return end
  }

  #endFragment(): void {
    if (this.#pduLeft > 0 && this.#pduLeft < pdvHeaderLength)
      throw violation(
        abortReason.invalidPDUParameterValue,
        `${this.#pduLeft} bytes follow the last value of a P-DATA-TF PDU`,
      )
    this.#state = this.#pduLeft === 0 ? 'pdu-header' : 'pdv-header'
    this.#sink.onFragmentEnd()
  }

  #readBody(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#pduLeft)
    // Put together now and then: in chunks of a byte it would take a hundred times its length.
    if (this.#body.length === maximumParts) this.#body = [Buffer.concat(this.#body)]
    this.#body.push(Buffer.from(chunk.subarray(offset, end)))
    this.#pduLeft -= end - offset
    if (this.#pduLeft === 0) this.#endPDU()
    return end
  }

  #endPDU(): void {
    this.#state = 'pdu-header'
    if (this.#type === PDU.data) return
    const body = this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body)
    this.#body = []
    this.#sink.onPDU(this.#type, body)
  }
}

/** Lengths are checked before a byte of the variable part is taken. */
function checkPDULength(type: number, length: number, limits: PDULimits): void {
  switch (type) {
    case PDU.associateRQ:
    case PDU.associateAC:
      if (length < 68 || length > limits.association)
        throw violation(
          abortReason.invalidPDUParameterValue,
          `association PDU of ${length} bytes: 68 to ${limits.association} are expected`,
        )
      return
    case PDU.associateRJ:
    case PDU.releaseRQ:
    case PDU.releaseRP:
    case PDU.abort:
      if (length !== 4)
        throw violation(abortReason.invalidPDUParameterValue, `PDU of type ${type} and ${length} bytes: 4 are expected`)
      return
    case PDU.data:
      if ((length > 0 && length < pdvHeaderLength) || length > limits.data)
        throw violation(
          abortReason.invalidPDUParameterValue,
          `P-DATA-TF PDU of ${length} bytes: at most ${limits.data} are expected`,
        )
      return
    default:
      throw violation(abortReason.unrecognizedPDU, `PDU of type ${type}: 1 to 7 are expected`)
  }
}
