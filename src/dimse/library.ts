import type { Socket } from 'node:net'
import dcmjsDimse from 'dcmjs-dimse'

// dcmjs prints values of elements, and the library names its callers: nothing of it reaches the console.
dcmjsDimse.log.setLevel('silent')

/** The library's classes that are used; importing them from here keeps its logging silenced. */
export const { Scp: LibraryScp } = dcmjsDimse
export const { Association: LibraryAssociation } = dcmjsDimse.association
export const { CEchoResponse } = dcmjsDimse.responses
export type LibraryCEchoRequest = InstanceType<typeof dcmjsDimse.requests.CEchoRequest>
export type LibraryCEchoResponse = InstanceType<typeof dcmjsDimse.responses.CEchoResponse>

/**
 * What is relied on of dcmjs-dimse 0.3.3 beyond its published types: the exact version is pinned in package.json, and
 * test/dimse/library.test.ts fails when any of it changes.
 */
export interface LibraryInternals {
  /** Reads a whole PDU, performs the message and emits `networkError` where it fails; answers through `socket.write`. */
  _processPdu(pdu: Buffer): Promise<void>
  /** Called by the constructor; takes over the socket's events, unless overridden. */
  _wrapSocket(): void
  /** Where the library gathers a command set. */
  dimseStream: unknown
  socket: Pick<Socket, 'write'>
  association: InstanceType<typeof LibraryAssociation>
}
