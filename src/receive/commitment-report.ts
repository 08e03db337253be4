import { encodeInTurns } from '../dicom/encode-in-turns.ts'
import { SOP } from '../dicom/sop-class.ts'
import type { EventReport } from '../dimse/sub-operation.ts'
import type { CommitmentOutcome } from './questions.ts'

/** Event Type IDs of storage commitment (PS3.4 J.3.3). */
const everythingCommitted = 1
const failuresExist = 2

/**
 * The report of a storage commitment (PS3.4 table J.3-2).
 * @param retrieveAETitle the AE title that the instances can be had from
 */
export function commitmentReport(
  transactionUID: string,
  { committed, failed }: CommitmentOutcome,
  retrieveAETitle: string,
): EventReport {
  const dataSet = {
    RetrieveAETitle: retrieveAETitle,
    TransactionUID: transactionUID,
    ...(committed.length > 0 && {
      ReferencedSOPSequence: committed.map(({ sopClassUID, sopInstanceUID }) => ({
        ReferencedSOPClassUID: sopClassUID,
        ReferencedSOPInstanceUID: sopInstanceUID,
      })),
    }),
    ...(failed.length > 0 && {
      FailedSOPSequence: failed.map(({ sopClassUID, sopInstanceUID, reason }) => ({
        ReferencedSOPClassUID: sopClassUID,
        ReferencedSOPInstanceUID: sopInstanceUID,
        FailureReason: reason,
      })),
    }),
  }
  return {
    sopClassUID: SOP.storageCommitmentPushModel,
    sopInstanceUID: SOP.storageCommitmentPushModelInstance,
    eventTypeID: failed.length === 0 ? everythingCommitted : failuresExist,
    encode: (transferSyntaxUID) => encodeInTurns(dataSet, transferSyntaxUID),
  }
}
