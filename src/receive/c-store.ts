import type { Association } from '../dimse/association.ts'
import type { StoreReceiver, StoreRequest } from '../dimse/store-message.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { IncomingFile, IncomingFolder } from '../store/incoming.ts'
import { DataSetTap } from './data-set-tap.ts'
import { examineDataSet, headerOf } from './examine.ts'
import type { QuarantinedObject, ReceivedInstance, Sender } from './received.ts'
import type { SeriesSeen } from './series-seen.ts'

/** Where instances go, and who is told. */
export interface CStoreContext {
  folder: IncomingFolder
  series: SeriesSeen
  log: Log
  onReceived(instance: ReceivedInstance): void
  onQuarantined(object: QuarantinedObject): void
}

/** Who sent something over an association. */
export function senderOf(association: Association): Sender {
  const { callingAETitle, calledAETitle, address } = association
  return { callingAETitle, calledAETitle, address }
}

/**
 * One instance that arrives by C-STORE: its data set goes to a file as it comes, and is checked from its first and last bytes.
 * @throws {IncomingError} `out-of-space` before a byte is taken
 */
export function receiveInstance(request: StoreRequest, context: CStoreContext): StoreReceiver {
  const { sopClassUID, sopInstanceUID, association } = request
  const file = context.folder.begin({
    mediaStorageSOPClassUID: sopClassUID.slice(0, 64),
    mediaStorageSOPInstanceUID: sopInstanceUID.slice(0, 64),
    transferSyntaxUID: request.context.transferSyntax,
    sourceApplicationEntityTitle: association.callingAETitle,
  })
  const tap = new DataSetTap()
  return {
    write(bytes) {
      file.write(bytes)
      tap.take(bytes)
    },
    async end() {
      try {
        await keepInstance({ request, context, file, tap })
      } finally {
        tap.dispose()
      }
    },
    abandon() {
      tap.dispose()
      try {
        file.discard()
      } catch (error) {
        // Called when a connection ends: there is nobody left to tell but the log. Recovery removes what stays behind.
        context.log.error('an unfinished file could not be removed', { reason: messageOf(error) })
      }
    },
  }
}

interface Arrived {
  request: StoreRequest
  context: CStoreContext
  file: IncomingFile
  tap: DataSetTap
}

async function keepInstance(arrived: Arrived): Promise<void> {
  const { request, context, file, tap } = arrived
  const { sopClassUID, sopInstanceUID, association } = request
  const transferSyntaxUID = request.context.transferSyntax
  const dataSet = { path: file.path, transferSyntaxUID, head: tap.head, tail: tap.tail, size: tap.size }
  const examined = await examineDataSet(dataSet, { sopClassUID, sopInstanceUID }).catch(async (error: unknown) => {
    await quarantine(arrived, error)
    throw error
  })
  const { facts, elements } = examined
  // The head is read before the next instance may reuse what it lies in. Where it is not all of it, whoever writes the index reads the file.
  const head = context.series.isNew(facts.seriesInstanceUID) ? elements() : null
  const { file: name, size } = await file.finish()
  context.onReceived({
    file: name,
    association: association.id,
    via: 'c-store',
    sender: senderOf(association),
    at: new Date().toISOString(),
    size,
    transferSyntaxUID,
    ...facts,
    ...(head && { header: headerOf(head) }),
  })
}

/** Keeps the bytes and says why. Where that fails too, the refusal itself still reaches the sender. */
async function quarantine({ request, context, file }: Arrived, error: unknown): Promise<void> {
  try {
    const { file: name, size } = await file.quarantine()
    context.onQuarantined({
      file: name,
      at: new Date().toISOString(),
      size,
      code: error instanceof HilumError ? error.code : 'processing-failure',
      reason: error instanceof HilumError ? error.message : 'the data set could not be examined',
      via: 'c-store',
      sender: senderOf(request.association),
      sopClassUID: request.sopClassUID.slice(0, 64) || null,
      sopInstanceUID: request.sopInstanceUID.slice(0, 64) || null,
      transferSyntaxUID: request.context.transferSyntax,
    })
  } catch (failure) {
    context.log.error('an object could not be kept in quarantine', { reason: messageOf(failure) })
  }
}
