import { encodeDataSet } from '../dicom/data-set-writer.ts'
import type { Responder } from '../dimse/service.ts'
import { describeStatus, dimseStatus, isStored } from '../dimse/status.ts'

/** What a UI element with a length of 16 bits can hold, at 65 bytes a UID. */
const maximumFailedUIDs = 1000

/** Counts the C-STORE sub-operations of a C-MOVE or C-GET, and tells the peer (PS3.4 C.4.2.1.5 to C.4.2.1.9). */
export class SubOperations {
  readonly #responder: Responder
  readonly #total: number
  readonly #failedUIDs: string[] = []
  #completed = 0
  #failed = 0
  #warning = 0
  #telling = false
  #firstFailure: string | null = null

  /** @param total sub-operations that there will be */
  constructor(responder: Responder, total: number) {
    this.#responder = responder
    this.#total = total
  }

  /** Sub-operations whose outcome is not known. */
  get remaining(): number {
    return Math.max(0, this.#total - this.#completed - this.#failed - this.#warning)
  }

  /** What became of them, for the log: numbers, and why the first that failed did. */
  get summary(): { completed: number; failed: number; warning: number; failure: string | null } {
    return { ...this.#counts(), failure: this.#firstFailure }
  }

  /**
   * @param status of the C-STORE response; null where there was none
   * @param reason why there was none, without patient data
   */
  settled(sopInstanceUID: string, status: number | null, reason: string | null): void {
    if (status === dimseStatus.success) this.#completed++
    else if (status !== null && isStored(status)) this.#warning++
    else {
      this.#failed++
      this.#firstFailure ??= status === null ? reason : `the peer answered ${describeStatus(status)}`
      if (this.#failedUIDs.length < maximumFailedUIDs) this.#failedUIDs.push(sopInstanceUID)
    }
    this.#tell()
  }

  /** The rest will not be tried. */
  failRest(): void {
    this.#failed += this.remaining
  }

  /**
   * The last response: Success, 0xB000 where some failed or had warnings, 0xA702 where all failed, 0xFE00 when cancelled. The UIDs of
   * those that failed go with it, at most 1,000 of them.
   * @throws {DimseError} `association-lost`
   */
  async finish(how: { cancelled: boolean; transferSyntaxUID: string; comment?: string }): Promise<void> {
    const status = how.cancelled ? dimseStatus.cancelled : this.#status()
    const uids = this.#failedUIDs
    await this.#responder.respond({
      status,
      ...(how.comment !== undefined && this.#failed > 0 && { comment: how.comment }),
      ...(uids.length > 0 && { dataSet: encodeDataSet({ FailedSOPInstanceUIDList: uids }, how.transferSyntaxUID) }),
      subOperations: { ...this.#counts(), ...(how.cancelled && { remaining: this.remaining }) },
    })
  }

  #status(): number {
    if (this.#failed + this.#warning === 0) return dimseStatus.success
    return this.#completed + this.#warning === 0
      ? dimseStatus.unableToPerformSubOperations
      : dimseStatus.subOperationsFailed
  }

  #counts(): { completed: number; failed: number; warning: number } {
    return { completed: this.#completed, failed: this.#failed, warning: this.#warning }
  }

  /** One pending response at a time: a peer that reads slowly gets fewer of them, with newer numbers. */
  #tell(): void {
    if (this.#telling || this.remaining === 0 || this.#responder.signal.aborted) return
    this.#telling = true
    this.#responder
      .respond({ status: dimseStatus.pending, subOperations: { ...this.#counts(), remaining: this.remaining } })
      // The end of the association is told by the signal.
      .catch(() => undefined)
      .finally(() => {
        this.#telling = false
      })
  }
}
