import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import type { Association } from './association.ts'
import {
  CEchoResponse,
  LibraryAssociation,
  type LibraryCEchoRequest,
  type LibraryCEchoResponse,
  type LibraryInternals,
  LibraryScp,
} from './library.ts'
import { encodeFragment } from './pdu.ts'
import { dimseStatus } from './status.ts'

/** Who is told about each C-ECHO. */
export interface EchoOwner {
  /** Writes the answer, a whole PDU, when its turn has come. */
  onAnswer(pdu: Buffer): void
  /** It has been answered, and the next message may come. */
  onEchoed(): void
  onEchoFailed(reason: string): void
}

/**
 * C-ECHO by dcmjs-dimse's Scp, with its socket handling left out: its reading loses context IDs and gathers PDUs without
 * limit. It is handed one whole message at a time, and what it writes goes through the owner: PDUs of another message may be on
 * their way, and none may come between them.
 */
export class LibraryEcho extends LibraryScp {
  readonly #owner: EchoOwner

  constructor(socket: Socket, association: Association, owner: EchoOwner) {
    super(socket, {})
    this.#owner = owner
    this.on('networkError', (error: unknown) => owner.onEchoFailed(messageOf(error)))
    const library = this as unknown as LibraryInternals
    library.association = theirsOf(association)
    library.socket = {
      write: (pdu: string | Uint8Array): boolean => {
        owner.onAnswer(Buffer.from(pdu))
        return true
      },
    }
  }

  /** The library's constructor calls this. */
  _wrapSocket(): void {
    // Nothing: `Connection` reads instead.
  }

  /** @param command the command set of a C-ECHO-RQ */
  perform(contextID: number, command: Buffer): void {
    const library = this as unknown as LibraryInternals
    // After a message without data set the library would append the next command to this one's stream.
    library.dimseStream = undefined
    const pdu = encodeFragment({ contextID, command: true, last: true, value: command })
    library._processPdu(pdu).catch((error: unknown) => this.#owner.onEchoFailed(messageOf(error)))
  }

  override cEchoRequest(request: LibraryCEchoRequest, callback: (response: LibraryCEchoResponse) => void): void {
    const response = CEchoResponse.fromRequest(request)
    response.setStatus(dimseStatus.success)
    callback(response)
    // A turn for everybody else: a peer that sends requests without end must not keep the process to itself.
    setImmediate(() => this.#owner.onEchoed())
  }
}

/** The library needs the association to find contexts for its answers. It keeps IDs only when they come in ascending order. */
function theirsOf(association: Association): InstanceType<typeof LibraryAssociation> {
  const theirs = new LibraryAssociation(association.callingAETitle, association.calledAETitle)
  theirs.setMaxPduLength(association.peerMaxPdu)
  for (const context of [...association.contexts.values()].sort((a, b) => a.id - b.id)) {
    theirs.addPresentationContext(context.abstractSyntax, context.id)
    theirs.getPresentationContext(context.id).setResult(0, context.transferSyntax)
  }
  return theirs
}
