import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { textOf } from '../dicom/dataset.ts'
import { encodeFileMeta } from '../dicom/part10.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { type DicomMoment, dicomMoment } from './date-time.ts'
import type { EncodedObject } from './encoded.ts'
import type { ResultContext } from './encoding-input.ts'
import { equipment } from './equipment.ts'
import { EncodeError } from './error.ts'
import { type ResultName, resultIdentity, roleText } from './identity.ts'
import { copied, type NaturalDataSet, patientAndStudy, timezoneOf } from './patient-study.ts'

/** What a result object is, beside its contents. */
export interface ResultKind extends ResultName {
  sopClassUID: string
  modality: string
  /** What the Series Description says after the algorithm's title, where the output has no title of its own; up to 40 characters. */
  description: string
  /** Explicit VR little endian when left out. */
  transferSyntaxUID?: string
}

/** Date and time of the job, as the source's data sets write them. */
export function momentOf({ at, source }: ResultContext): DicomMoment {
  return dicomMoment(at, timezoneOf(source.header))
}

/** Attributes of every result: patient, study, series, equipment with the algorithm, SOP common (PS3.3 C.7.1 to C.7.5, C.12.1). */
function commonAttributes(context: ResultContext, kind: ResultKind): NaturalDataSet {
  const { algorithm, source } = context
  const identity = resultIdentity(context, kind)
  const moment = momentOf(context)
  return {
    ...patientAndStudy(source.header, context.studyInstanceUID),
    ...equipment(algorithm, moment),
    SOPClassUID: kind.sopClassUID,
    SOPInstanceUID: identity.sopInstanceUID,
    InstanceCreationDate: moment.date,
    InstanceCreationTime: moment.time,
    Modality: kind.modality,
    SeriesInstanceUID: identity.seriesInstanceUID,
    SeriesNumber: identity.seriesNumber,
    SeriesDescription: seriesDescription(context, kind),
    SeriesDate: moment.date,
    SeriesTime: moment.time,
    InstanceNumber: kind.instance ?? 1,
  }
}

/** Up to 64 characters: the algorithm's title, then what the result is. */
function seriesDescription({ algorithm }: ResultContext, { output, description }: ResultKind): string {
  const what = `${(output?.title ?? description).slice(0, 40)}${algorithm.demonstrator ? ' (demonstrator)' : ''}`
  return `${algorithm.title.slice(0, 62 - what.length)}: ${what}`
}

/**
 * A result object from its own attributes and those of every result.
 * @param attributes everything but pixel data; what stands here wins over what is common
 * @param pixels the last element of the data set, with its header: made while the chunks are read
 */
export function encodeObject(
  context: ResultContext,
  kind: ResultKind,
  attributes: NaturalDataSet,
  pixels: Iterable<Uint8Array> = [],
): EncodedObject {
  const { sopInstanceUID, seriesInstanceUID } = resultIdentity(context, kind)
  const transferSyntaxUID = kind.transferSyntaxUID ?? TS.explicitVRLittleEndian
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: kind.sopClassUID,
    mediaStorageSOPInstanceUID: sopInstanceUID,
    transferSyntaxUID,
  })
  const dataSet = encodeDataSet({ ...commonAttributes(context, kind), ...attributes }, transferSyntaxUID)
  return {
    kind: 'object',
    role: roleText(kind),
    sopClassUID: kind.sopClassUID,
    sopInstanceUID,
    seriesInstanceUID,
    modality: kind.modality,
    chunks: inOrder([meta, dataSet], pixels),
  }
}

function* inOrder(head: readonly Uint8Array[], tail: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield* head
  yield* tail
}

/**
 * Header of native pixel data in explicit VR little endian (PS3.5 7.1.2); it is the last element of the data set.
 * @param length of all frames, even
 * @throws {EncodeError} `too-large`: an element of defined length holds fewer than 2^32 - 1 bytes (PS3.5 7.1.1)
 */
export function pixelDataHeader(
  length: number,
  element: 'PixelData' | 'FloatPixelData',
  vr: 'OB' | 'OW' | 'OF',
): Buffer {
  if (length > 0xfffffffe) throw new EncodeError('too-large', `the pixel data needs ${length} bytes`)
  const header = Buffer.from([0xe0, 0x7f, element === 'PixelData' ? 0x10 : 0x08, 0x00, 0, 0, 0, 0, 0, 0, 0, 0])
  header.write(vr, 4, 'latin1')
  header.writeUInt32LE(length, 8)
  return header
}

/** Without a frame of reference in the source the module is left out: references to images tie the object to the source. */
export function frameOfReference({ source }: ResultContext): NaturalDataSet {
  const uid = textOf(source.header, 'FrameOfReferenceUID')
  if (uid === null) return {}
  return {
    FrameOfReferenceUID: uid,
    PositionReferenceIndicator: copied(source.header, 'PositionReferenceIndicator') ?? '',
  }
}

/** What is derived from lossy images is lossy (PS3.3 C.7.6.1.1.5). */
export function lossyImageCompression({ source: { header } }: ResultContext): NaturalDataSet {
  if (textOf(header, 'LossyImageCompression') !== '01') return { LossyImageCompression: '00' }
  const lossy: NaturalDataSet = { LossyImageCompression: '01' }
  for (const keyword of ['LossyImageCompressionRatio', 'LossyImageCompressionMethod']) {
    const value = copied(header, keyword)
    if (value !== null) lossy[keyword] = value
  }
  return lossy
}

/**
 * Body part and side, for objects in the patient's geometry. Laterality is type 2C (PS3.3 C.7.3.1): where the body part is not known it
 * stands there empty, where it is known, as the source has it, be it for the series or for the image (which may show both sides).
 */
export function bodyPart({ source: { header } }: ResultContext): NaturalDataSet {
  const part = copied(header, 'BodyPartExamined')
  const side = copied(header, 'Laterality') ?? copied(header, 'ImageLaterality')
  const attributes: NaturalDataSet = part === null ? {} : { BodyPartExamined: part }
  if (side === 'L' || side === 'R') attributes.Laterality = side
  else if (part === null || '00200060' in header || side === 'B') attributes.Laterality = ''
  return attributes
}
