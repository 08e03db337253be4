import { DicomError } from '../dicom/error.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import type { FileMeta } from '../dicom/part10.ts'
import { isStorageSOPClass } from '../dicom/sop-class.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { IncomingError, type IncomingFile, type IncomingFolder } from '../store/incoming.ts'
import { DataSetTap } from './data-set-tap.ts'
import { examineDataSet, headerOf, InstanceError } from './examine.ts'
import type { QuarantinedObject, ReceivedInstance, Sender } from './received.ts'
import { emptyPreamble, looksLikeDicom, type RecognisedFile, recogniseFile } from './recognise.ts'
import type { SeriesSeen } from './series-seen.ts'

/** Where files go that come by STOW-RS, from a watched folder or out of quarantine, and what they must be. */
export interface IntakeContext {
  incoming: Pick<IncomingFolder, 'begin' | 'beginRaw'>
  series: SeriesSeen
  log: Log
  /** Id of the request or batch; arrivals are counted by it. */
  association: string
  via: ReceivedInstance['via']
  sender: Sender
  maximumBytes: number
  /** Study Instance UID that it has to have; null: any. */
  study: string | null
  /** UIDs that it has to have, as a C-STORE command gave them; null: any. */
  expected?: { sopClassUID: string; sopInstanceUID: string } | null
  /** Written instead of the meta information that the file brings. */
  replaceMeta?: FileMeta | null
  /** True: what does not look like DICOM at all is not even copied. */
  dicomOnly?: boolean
  /** Why it is refused whatever it holds; what it says of itself is still read. */
  refusal?: HilumError | null
}

/** Why a file is refused, beyond what `examineDataSet` finds. */
type IntakeErrorCode =
  | 'study-mismatch'
  | 'sop-class-not-supported'
  | 'part-too-large'
  | 'not-part10'
  | 'unknown-transfer-syntax'
  | 'not-dicom'

export class IntakeError extends HilumError<IntakeErrorCode> {}

/** What a refused file said of itself; null where it could not be read so far. */
export interface Named {
  sopClassUID: string | null
  sopInstanceUID: string | null
  transferSyntaxUID: string | null
}

/** `warnings` are of PS3.18 10.5.3 (Warning Reason). The file of what is refused is the caller's to quarantine or discard. */
export type TakenIn =
  | { kind: 'kept'; instance: ReceivedInstance; warnings: number[] }
  | { kind: 'refused'; error: HilumError; named: Named; file: IncomingFile | null }

/** Data set does not match SOP class: here, the file meta information speaks of another instance than the data set. */
const warningMetaMismatch = 0xb007

/**
 * Takes a DICOM file in: its bytes go to the incoming folder as they come and as they are, and are durable before this returns. Memory does
 * not depend on their number.
 * @throws what the source throws, and IncomingError when nothing can be written; nothing is left behind then
 */
export async function takeIn(source: AsyncIterable<Buffer>, context: IntakeContext): Promise<TakenIn> {
  const tap = new DataSetTap()
  const arriving: Arriving = { file: null, recognised: null, tap, context }
  try {
    await write(source, arriving)
    return await keep(arriving)
  } catch (error) {
    if (isAboutObject(error)) return { kind: 'refused', error, named: namedBy(arriving), file: arriving.file }
    arriving.file?.discard()
    if (!(error instanceof IncomingError) || error.code !== 'out-of-space') throw error
    return { kind: 'refused', error, named: namedBy(arriving), file: null }
  } finally {
    tap.dispose()
  }
}

/** Keeps the bytes of what was refused. Where that fails too, the refusal itself still reaches the sender. */
export async function quarantineRefused(
  refused: Extract<TakenIn, { kind: 'refused' }>,
  context: Pick<IntakeContext, 'via' | 'sender' | 'log'>,
): Promise<QuarantinedObject | null> {
  const { file, error, named } = refused
  if (file === null) return null
  try {
    const { file: name, size } = await file.quarantine()
    const { via, sender } = context
    const at = new Date().toISOString()
    return { file: name, at, size, code: error.code, reason: error.message, via, sender, ...named }
  } catch (failure) {
    context.log.error('an object could not be kept in quarantine', { reason: messageOf(failure) })
    return null
  }
}

interface Arriving {
  file: IncomingFile | null
  recognised: RecognisedFile | null
  tap: DataSetTap
  context: IntakeContext
}

export function isAboutObject(error: unknown): error is HilumError {
  return error instanceof DicomError || error instanceof InstanceError || error instanceof IntakeError
}

function namedBy({ recognised }: Arriving): Named {
  const uid = (text: string | undefined) => (text !== undefined && /^\d[\d.]{0,63}$/.test(text) ? text : null)
  return {
    sopClassUID: uid(recognised?.meta.mediaStorageSOPClassUID),
    sopInstanceUID: uid(recognised?.meta.mediaStorageSOPInstanceUID),
    transferSyntaxUID: uid(recognised?.meta.transferSyntaxUID),
  }
}

/** Bytes that are gathered before the first look at them; twice as many for each further one. */
const firstLook = 512

async function write(source: AsyncIterable<Buffer>, arriving: Arriving): Promise<void> {
  const { context, tap } = arriving
  let gathered: Buffer[] = []
  let bytes = 0
  let lookAt = firstLook
  let failure: unknown = null
  const look = (isAll: boolean): void => {
    const beginning = Buffer.concat(gathered)
    gathered = [beginning]
    lookAt = beginning.length * 2
    try {
      arriving.recognised = recogniseFile(beginning, isAll)
    } catch (error) {
      if (context.dicomOnly && !looksLikeDicom(beginning)) throw new IntakeError('not-dicom', 'it is no DICOM file')
      failure = error
    }
    if (arriving.recognised === null && failure === null) return
    gathered = []
    begin(beginning, arriving)
  }
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > context.maximumBytes)
      throw new IntakeError('part-too-large', `it is larger than ${context.maximumBytes} bytes`)
    if (arriving.file !== null) {
      arriving.file.write(chunk)
      tap.take(chunk)
    } else {
      gathered.push(chunk)
      if (bytes >= lookAt) look(false)
    }
  }
  if (arriving.file === null) look(true)
  if (failure !== null) throw failure
}

/** Opens the file with what has come so far. What the file lacks in front of its data set is written for it. */
function begin(beginning: Buffer, arriving: Arriving): void {
  const { recognised, context, tap } = arriving
  const { incoming, replaceMeta } = context
  const dataSet = beginning.subarray(recognised?.dataSetOffset ?? 0)
  tap.take(dataSet)
  if (recognised !== null && (replaceMeta || recognised.form === 'data-set')) {
    arriving.file = incoming.begin(replaceMeta ?? recognised.meta)
    arriving.file.write(dataSet)
    return
  }
  arriving.file = incoming.beginRaw()
  if (recognised?.form === 'no-preamble') arriving.file.write(emptyPreamble)
  arriving.file.write(beginning)
}

async function keep({ file, recognised, tap, context }: Arriving): Promise<TakenIn> {
  if (file === null || recognised === null) throw new IntakeError('not-part10', 'nothing was sent')
  if (context.refusal) throw context.refusal
  if (recognised.form === 'data-set') await checkNativePixels(file.path)
  const { transferSyntaxUID } = recognised.meta
  const { instance, sopClassUID, sopInstanceUID } = await keepDataSet({ file, tap, transferSyntaxUID }, context)
  const { mediaStorageSOPClassUID, mediaStorageSOPInstanceUID } = context.replaceMeta ?? recognised.meta
  const matches =
    ['', sopClassUID].includes(mediaStorageSOPClassUID) && ['', sopInstanceUID].includes(mediaStorageSOPInstanceUID)
  return { kind: 'kept', instance, warnings: matches ? [] : [warningMetaMismatch] }
}

/** Without meta information, how pixel data is compressed is not known. @throws {IntakeError} `unknown-transfer-syntax` */
async function checkNativePixels(path: string): Promise<void> {
  const { pixelData } = await readInstanceFile(path)
  if (pixelData !== null && pixelData.length === null)
    throw new IntakeError(
      'unknown-transfer-syntax',
      'the pixel data is compressed, and no file meta information names its transfer syntax',
    )
}

/**
 * The checks that every file passes, and then the instance is durable.
 * @throws {HilumError} one of those about the object; the file is still open then
 */
export async function keepDataSet(
  { file, tap, transferSyntaxUID }: { file: IncomingFile; tap: DataSetTap; transferSyntaxUID: string },
  context: Pick<IntakeContext, 'series' | 'association' | 'via' | 'sender' | 'study' | 'expected'>,
): Promise<{ instance: ReceivedInstance; sopClassUID: string; sopInstanceUID: string }> {
  const dataSet = { path: file.path, transferSyntaxUID, head: tap.head, tail: tap.tail, size: tap.size }
  const { facts, elements } = await examineDataSet(dataSet, context.expected ?? null)
  if (context.study !== null && facts.studyInstanceUID !== context.study)
    throw new IntakeError(
      'study-mismatch',
      `StudyInstanceUID differs: data set ${facts.studyInstanceUID}, URL ${context.study}`,
    )
  if (isStorageSOPClass(facts.sopClassUID) === false)
    throw new IntakeError('sop-class-not-supported', `${facts.sopClassUID} is no storage SOP class`)
  if (!/^\d[\d.]{0,63}$/.test(transferSyntaxUID))
    throw new IntakeError('unknown-transfer-syntax', 'the transfer syntax is no UID')
  const head = context.series.isNew(facts.seriesInstanceUID) ? elements() : null
  const { file: name, size } = await file.finish()
  const instance: ReceivedInstance = {
    file: name,
    association: context.association,
    via: context.via,
    sender: context.sender,
    at: new Date().toISOString(),
    size,
    transferSyntaxUID,
    ...facts,
    ...(head && { header: headerOf(head) }),
  }
  return { instance, sopClassUID: facts.sopClassUID, sopInstanceUID: facts.sopInstanceUID }
}
