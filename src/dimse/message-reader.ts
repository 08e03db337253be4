import type { AcceptedContext } from './association-negotiation.ts'
import { type CommandSet, parseCommandSet } from './command-set.ts'
import { violation } from './error.ts'
import { abortReason } from './pdu.ts'
import type { FragmentHead } from './pdu-reader.ts'

/** What is told about the messages of an association, in their order. */
export interface MessageSink {
  /** A command set is whole. Where it announces a data set, its bytes follow. `bytes` is a copy. */
  onCommand(command: CommandSet, context: AcceptedContext, bytes: Buffer): void
  /** A view that is valid during the call only. */
  onDataSetBytes(bytes: Buffer): void
  onDataSetEnd(): void
}

/** Command sets are some hundred bytes; only attribute identifier lists make them longer. */
const maximumCommandLength = 64 * 1024
const maximumParts = 64

/**
 * Puts fragments together to messages (PS3.7 6.3, PS3.8 annex E): command sets are gathered, data sets pass through.
 * However many fragments a PDU holds, and however many messages, none is lost.
 */
export class MessageReader {
  readonly #contexts: ReadonlyMap<number, AcceptedContext>
  readonly #sink: MessageSink
  #context: AcceptedContext | null = null
  #awaits: 'command' | 'data-set' = 'command'
  #parts: Buffer[] = []
  #length = 0
  #last = false

  constructor(contexts: ReadonlyMap<number, AcceptedContext>, sink: MessageSink) {
    this.#contexts = contexts
    this.#sink = sink
  }

  /** True from a message's first fragment to its last. */
  get underWay(): boolean {
    return this.#context !== null
  }

  /** @throws {DimseError} `protocol-violation` on a context that was not accepted, or a fragment out of its order */
  startFragment(head: FragmentHead): void {
    const context = this.#contexts.get(head.contextID)
    if (!context)
      throw violation(
        abortReason.invalidPDUParameterValue,
        `a fragment on presentation context ${head.contextID}, which was not accepted`,
      )
    if (head.command !== (this.#awaits === 'command') || (this.#context !== null && this.#context !== context))
      throw violation(
        abortReason.unexpectedPDUParameter,
        `a ${head.command ? 'command' : 'data set'} fragment on context ${head.contextID}: the ${this.#awaits}${this.#context ? ` of context ${this.#context.id}` : ''} is expected`,
      )
    this.#context = context
    this.#last = head.last
  }

  fragmentBytes(bytes: Buffer): void {
    if (this.#awaits === 'data-set') return this.#sink.onDataSetBytes(bytes)
    this.#length += bytes.length
    if (this.#length > maximumCommandLength)
      throw violation(abortReason.invalidPDUParameterValue, `a command set beyond ${maximumCommandLength} bytes`)
    // Put together now and then: a command set in fragments of a byte would take a hundred times its length.
    if (this.#parts.length === maximumParts) this.#parts = [Buffer.concat(this.#parts)]
    this.#parts.push(Buffer.from(bytes))
  }

  endFragment(): void {
    if (!this.#last) return
    const context = this.#context
    if (context === null) return
    if (this.#awaits === 'data-set') {
      this.#awaits = 'command'
      this.#context = null
      return this.#sink.onDataSetEnd()
    }
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    this.#parts = []
    this.#length = 0
    const command = parseCommandSet(bytes)
    if (command.hasDataSet) this.#awaits = 'data-set'
    else this.#context = null
    this.#sink.onCommand(command, context, bytes)
  }
}
