import { reportEvent } from '../dimse/event.ts'
import { describeStatus, dimseStatus } from '../dimse/status.ts'
import type { EventReport } from '../dimse/sub-operation.ts'
import { HilumError } from '../errors.ts'
import type { RemoteAddress } from '../receive/questions.ts'
import { calledRemote } from '../receive/remote-address.ts'

/**
 * Reports an event to a remote on an association that is opened for it.
 * @throws {DimseError} when there is none, or no answer; {HilumError} `report-refused` when the remote answers with a failure
 */
export async function reportTo(address: RemoteAddress, event: EventReport, callingAETitle: string): Promise<void> {
  const status = await reportEvent({ ...calledRemote(address), callingAETitle }, event)
  if (status === dimseStatus.success) return
  throw new HilumError('report-refused', `${address.aeTitle} answered the report: ${describeStatus(status)}`)
}
