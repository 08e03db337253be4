import type { Association } from './association.ts'
import type { AcceptedContext } from './association-negotiation.ts'
import type { CommandSet } from './command-set.ts'

/** What a caller may do; which services it may use follows from it. C-ECHO is always allowed. */
export type Permission = 'store' | 'query' | 'retrieve'

/** A request other than C-STORE and C-ECHO, whole: its data set is small by nature and lies in memory. */
export interface ServiceRequest {
  association: Association
  context: AcceptedContext
  command: CommandSet
  /** In the context's transfer syntax, at most `maximumRequestLength` bytes; null where the command announces none. */
  dataSet: Buffer | null
}

/** One response to a request. What is absent is left out of the command set. */
export interface ServiceResponse {
  status: number
  /** Error Comment (0000,0902), cut to 64 characters; without patient data. */
  comment?: string
  /** Error ID (0000,0903). */
  errorID?: number
  /** In the context's transfer syntax. */
  dataSet?: Buffer
  affectedSOPInstanceUID?: string
  eventTypeID?: number
  actionTypeID?: number
  /** Numbers of sub-operations (0000,1020 to 1023). */
  subOperations?: { remaining?: number; completed: number; failed: number; warning: number }
}

/** What a provider answers with. */
export interface Responder {
  /**
   * Writes a response; resolves when the connection can take more. The last one is whatever the provider writes last.
   * @throws {DimseError} `association-lost`
   */
  respond(response: ServiceResponse): Promise<void>
  /** Aborted by C-CANCEL-RQ for this message, and by the end of the association. */
  readonly signal: AbortSignal
  /**
   * Sends an instance to the peer on the same association (the C-STORE sub-operation of C-GET): the bytes of the file's data
   * set as they are, or converted where only a context of another uncompressed transfer syntax was accepted.
   * @returns the status of its response; null where no accepted context fits its SOP class and transfer syntax in the role needed
   * @throws {DimseError} `association-lost`
   */
  store(file: {
    path: string
    sopClassUID: string
    sopInstanceUID: string
    transferSyntaxUID: string
  }): Promise<number | null>
}

/**
 * Serves requests of one service class. It answers at least once, and last with a status that is not pending; what it throws
 * becomes 0x0110 (processing failure), or the status that `statusOf` gives: a HilumError may carry it as `detail.status`.
 */
export type Provide = (request: ServiceRequest, responder: Responder) => Promise<void>

/** A service class as a listener offers it. */
export interface ServiceProvider {
  /** Abstract syntaxes under which it is negotiated. */
  abstractSyntaxes: readonly string[]
  /** What a caller has to be allowed for its contexts to be accepted; null: every admitted caller. */
  permission: Permission | null
  /**
   * Command Field values that it takes; others are answered 0x0211. One that takes N-EVENT-REPORT-RQ lets the requestor have
   * the SCP role.
   */
  commandFields: readonly number[]
  provide: Provide
  /**
   * Answers SOP Class Extended Negotiation (PS3.7 D.3.3.5): the requestor's service class application information in, ours
   * out. Absent: as many zero bytes, which is "not supported" in PS3.4 C.5.
   */
  negotiateExtended?(information: Buffer): Buffer
}

/** Bytes of the longest data set that a request other than C-STORE may bring. */
export const maximumRequestLength = 4 * 1024 * 1024
