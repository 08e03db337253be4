import { DicomError } from '../dicom/error.ts'
import { maximumFileMetaLength, parseFileMeta } from '../dicom/part10.ts'
import { isStorageSOPClass } from '../dicom/sop-class.ts'
import { parseMediaType } from '../dicomweb/media-type.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { IncomingFile, IncomingFolder } from '../store/incoming.ts'
import { DataSetTap } from './data-set-tap.ts'
import { examineDataSet, headerOf } from './examine.ts'
import type { QuarantinedObject, ReceivedInstance, Sender } from './received.ts'
import type { SeriesSeen } from './series-seen.ts'
import { failureReasonOf, type PartOutcome } from './stow-response.ts'

/** Where the parts of one request go, and what they must be. */
export interface StoreRequestContext {
  incoming: Pick<IncomingFolder, 'beginRaw'>
  series: SeriesSeen
  log: Log
  onQuarantined(object: QuarantinedObject): void
  /** Id of the request; arrivals are counted by it. */
  association: string
  sender: Sender
  /** Study Instance UID that the URL names, or null. */
  study: string | null
  maximumPartBytes: number
}

/** Why a part of a STOW-RS request is refused, beyond what `examineDataSet` finds. */
type PartErrorCode = 'study-mismatch' | 'sop-class-not-supported' | 'part-too-large' | 'not-part10'

class PartError extends HilumError<PartErrorCode> {}

type FileMeta = ReturnType<typeof parseFileMeta>

/**
 * Takes one part in: its bytes go to a file as they come and as they are, and are durable before this returns. What cannot be kept as an
 * instance goes to quarantine, with the reason.
 * @param contentType of the part; null where it says none
 * @throws what the request's stream throws, and IncomingError when nothing can be written
 */
export async function takePart(
  body: AsyncIterable<Buffer>,
  contentType: string | null,
  context: StoreRequestContext,
): Promise<PartOutcome> {
  const file = context.incoming.beginRaw()
  const tap = new DataSetTap()
  let meta: FileMeta | null = null
  try {
    meta = await writePart(body, { file, tap, context })
    return await keepPart({ file, tap, meta, contentType, context })
  } catch (error) {
    const isAboutPart =
      error instanceof HilumError && failureReasonOf(error) !== 0x0110 && error.code !== 'out-of-space'
    if (!isAboutPart) {
      file.discard()
      throw error
    }
    // An instance that was cut off for its size is of no use to anybody.
    if (error.code === 'part-too-large' || file.size === 0) file.discard()
    else await quarantinePart(file, error, meta, context)
    const uid = (text: string | undefined) => (text !== undefined && /^\d[\d.]{0,63}$/.test(text) ? text : null)
    const failure = {
      reason: failureReasonOf(error),
      sopClassUID: uid(meta?.mediaStorageSOPClassUID),
      sopInstanceUID: uid(meta?.mediaStorageSOPInstanceUID),
    }
    return { kind: 'refused', failure }
  } finally {
    tap.dispose()
  }
}

/**
 * Writes the part, and shows its data set to the tap.
 * @throws {DicomError} `not-part10` or `truncated` behind the last byte where there is no whole file meta information
 */
async function writePart(
  body: AsyncIterable<Buffer>,
  { file, tap, context }: { file: IncomingFile; tap: DataSetTap; context: StoreRequestContext },
): Promise<FileMeta> {
  let meta: FileMeta | null = null
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    if (file.size + chunk.length > context.maximumPartBytes) {
      throw new PartError('part-too-large', `the part is larger than ${context.maximumPartBytes} bytes`)
    }
    file.write(chunk)
    if (meta !== null) tap.take(chunk)
    else if (head.length <= maximumFileMetaLength) {
      head = Buffer.concat([head, chunk])
      meta = metaOf(head)
      if (meta !== null) tap.take(head.subarray(meta.dataSetOffset))
    }
  }
  return meta ?? parseFileMeta(head)
}

/** The meta information when the bytes go far enough, else null. */
function metaOf(head: Buffer): FileMeta | null {
  try {
    const meta = parseFileMeta(head)
    // The data set may begin with the next byte, or the meta information may go on there.
    return meta.dataSetOffset < head.length ? meta : null
  } catch (error) {
    if (error instanceof DicomError) return null
    throw error
  }
}

async function keepPart(part: {
  file: IncomingFile
  tap: DataSetTap
  meta: FileMeta
  contentType: string | null
  context: StoreRequestContext
}): Promise<PartOutcome> {
  const { file, tap, meta, contentType, context } = part
  if (contentType !== null && parseMediaType(contentType)?.type !== 'application/dicom') {
    throw new PartError('not-part10', 'the part is not of type application/dicom')
  }
  const { transferSyntaxUID } = meta
  const dataSet = { path: file.path, transferSyntaxUID, head: tap.head, tail: tap.tail, size: tap.size }
  const { facts, elements } = await examineDataSet(dataSet, null)
  if (context.study !== null && facts.studyInstanceUID !== context.study) {
    throw new PartError(
      'study-mismatch',
      `StudyInstanceUID differs: data set ${facts.studyInstanceUID}, URL ${context.study}`,
    )
  }
  if (isStorageSOPClass(facts.sopClassUID) === false) {
    throw new PartError('sop-class-not-supported', `${facts.sopClassUID} is no storage SOP class`)
  }
  const head = context.series.isNew(facts.seriesInstanceUID) ? elements() : null
  const { file: name, size } = await file.finish()
  const instance: ReceivedInstance = {
    file: name,
    association: context.association,
    via: 'stow-rs',
    sender: context.sender,
    at: new Date().toISOString(),
    size,
    transferSyntaxUID,
    ...facts,
    ...(head && { header: headerOf(head) }),
  }
  return { kind: 'kept', instance }
}

/** Keeps the bytes and says why. Where that fails too, the refusal itself still reaches the sender. */
async function quarantinePart(
  file: IncomingFile,
  error: HilumError,
  meta: FileMeta | null,
  context: StoreRequestContext,
) {
  try {
    const { file: name, size } = await file.quarantine()
    context.onQuarantined({
      file: name,
      at: new Date().toISOString(),
      size,
      code: error.code,
      reason: error.message,
      via: 'stow-rs',
      sender: context.sender,
      sopClassUID: meta?.mediaStorageSOPClassUID.slice(0, 64) || null,
      sopInstanceUID: meta?.mediaStorageSOPInstanceUID.slice(0, 64) || null,
      transferSyntaxUID: meta?.transferSyntaxUID.slice(0, 64) || null,
    })
  } catch (failure) {
    context.log.error('an object could not be kept in quarantine', { reason: messageOf(failure) })
  }
}
