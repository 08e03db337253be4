import { numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { tagOf } from '../dicom/dictionary.ts'
import { type Head, type PixelDataPlace, readHead } from '../dicom/head.ts'
import { findDefect, readInstanceFile } from '../dicom/instance-file.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import { HilumError } from '../errors.ts'
import { quickFacts } from './quick-facts.ts'
import type { ReceivedInstance } from './received.ts'

/**
 * Why an object cannot be kept as an instance.
 * - `command-mismatch`: the data set's UIDs are not those of the command
 * - `missing-uid`: the data set does not name itself, its series or its study
 * - `unreadable-data-set`: its structure is broken
 * - `truncated-data-set`: it ends before what it announces
 */
export type InstanceErrorCode = 'command-mismatch' | 'missing-uid' | 'unreadable-data-set' | 'truncated-data-set'

export class InstanceError extends HilumError<InstanceErrorCode> {}

/** A data set as far as it is kept in memory; the whole of it lies in a file. */
export interface DataSetToExamine {
  /** The file: preamble, meta information and the whole data set. */
  path: string
  transferSyntaxUID: string
  /** The data set's first bytes. */
  head: Buffer
  /** Its last bytes, at least 8 where it has them. */
  tail: Buffer
  /** Bytes of the data set. */
  size: number
}

/** What the index needs to know of an instance. */
export type InstanceFacts = Pick<
  ReceivedInstance,
  | 'sopClassUID'
  | 'sopInstanceUID'
  | 'studyInstanceUID'
  | 'seriesInstanceUID'
  | 'instanceNumber'
  | 'rows'
  | 'columns'
  | 'bitsAllocated'
  | 'numberOfFrames'
>

/**
 * Checks that a data set is whole and names itself, from its first and last bytes where they suffice, else by walking the file. Elements
 * behind those that the index needs are not read: the functional groups of thousands of frames would hold up every other sender.
 * @param expected UIDs that it must have, as the request gave them
 * @returns its facts, and a way to its elements without pixel data: reading all of them costs more than everything else, and only the
 * first instance of a series needs it; null where the first bytes do not hold all of them
 * @throws {InstanceError}
 */
export async function examineDataSet(
  dataSet: DataSetToExamine,
  expected: { sopClassUID: string; sopInstanceUID: string } | null,
): Promise<{ facts: InstanceFacts; elements: () => DicomJson | null }> {
  const { transferSyntaxUID } = dataSet
  const quick = quickFacts(dataSet.head, transferSyntaxUID)
  if (quick !== null && isWhole(dataSet, { ended: 'end', ...quick })) {
    if (expected) checkAgainstCommand(quick.facts, expected)
    return { facts: quick.facts, elements: () => readHead(dataSet.head, { transferSyntaxUID }).elements }
  }
  const head = readHead(dataSet.head, { transferSyntaxUID, only: factTags })
  if (head.ended === 'malformed') throw unreadable(head.reason)
  const defect = isWhole(dataSet, head) ? null : await defectOf(dataSet, head)
  if (defect !== null) throw defect
  const isAll = head.pixelData !== null || (head.ended === 'end' && dataSet.size <= dataSet.head.length)
  const facts = factsOf(isAll || holdsFacts(head) ? head.elements : (await readInstanceFile(dataSet.path)).elements)
  if (expected) checkAgainstCommand(facts, expected)
  return { facts, elements: () => (isAll ? readHead(dataSet.head, { transferSyntaxUID }).elements : null) }
}

/** True when a part of a data set goes beyond the last of the elements that are needed, and has those without which nothing goes. */
function holdsFacts({ reached, elements }: Head): boolean {
  return reached > lastFactTag && requiredKeywords.every((keyword) => textOf(elements, keyword) !== null)
}

/** True when head and tail prove that nothing is missing; false means that it has to be looked for. */
function isWhole(
  dataSet: DataSetToExamine,
  head: Pick<Head, 'ended'> & { pixelData: Pick<PixelDataPlace, 'offset' | 'length'> | null },
): boolean {
  const { transferSyntaxUID, size, tail } = dataSet
  // The places in a deflated data set are those of the inflated one.
  if (transferSyntax(transferSyntaxUID).deflated) return false
  if (head.pixelData === null) return head.ended === 'end' && size === dataSet.head.length
  const { offset, length } = head.pixelData
  if (length !== null) return offset + length === size
  return tail.length >= 8 && tail.subarray(-8).equals(sequenceDelimiter)
}

/** Sequence Delimitation Item, little endian (PS3.5 7.5.2): ends encapsulated pixel data. */
const sequenceDelimiter = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])

async function defectOf(dataSet: DataSetToExamine, head: Head): Promise<InstanceError | null> {
  const { pixelData } = head
  const deflated = transferSyntax(dataSet.transferSyntaxUID).deflated
  if (!deflated && pixelData?.length != null && pixelData.offset + pixelData.length > dataSet.size)
    return new InstanceError(
      'truncated-data-set',
      `Pixel Data announces ${pixelData.length} bytes, ${Math.max(0, dataSet.size - pixelData.offset)} arrived`,
    )
  // Elements may follow pixel data: trailing padding, signatures, private ones. Their ends are found by walking the file.
  const defect = await findDefect(dataSet.path)
  return defect === null ? null : new InstanceError('truncated-data-set', defect)
}

function unreadable(reason: string | null): InstanceError {
  return new InstanceError('unreadable-data-set', `the data set cannot be read: ${reason ?? 'its structure is broken'}`)
}

/**
 * Takes from elements what the index needs.
 * @throws {InstanceError} `missing-uid`
 */
export function factsOf(elements: DicomJson): InstanceFacts {
  return {
    sopClassUID: uidOf(elements, 'SOPClassUID'),
    sopInstanceUID: uidOf(elements, 'SOPInstanceUID'),
    studyInstanceUID: uidOf(elements, 'StudyInstanceUID'),
    seriesInstanceUID: uidOf(elements, 'SeriesInstanceUID'),
    instanceNumber: numberOf(elements, 'InstanceNumber'),
    rows: numberOf(elements, 'Rows'),
    columns: numberOf(elements, 'Columns'),
    bitsAllocated: numberOf(elements, 'BitsAllocated'),
    numberOfFrames: numberOf(elements, 'NumberOfFrames'),
  }
}

const requiredKeywords = ['SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID']
const factKeywords = [...requiredKeywords, 'InstanceNumber', 'Rows', 'Columns', 'BitsAllocated', 'NumberOfFrames']
const factTags: ReadonlySet<number> = new Set(factKeywords.map((keyword) => Number.parseInt(tagOf(keyword) ?? '', 16)))
/** Elements stand in the order of their tags (PS3.5 7.1). */
const lastFactTag = Math.max(...factTags)

/** Digits and dots, at most 64: leading zeros break PS3.5 9.1, but some modalities write them, and their studies must arrive. */
function uidOf(elements: DicomJson, keyword: string): string {
  const text = textOf(elements, keyword)
  if (text !== null && /^\d[\d.]{0,63}$/.test(text)) return text
  throw new InstanceError('missing-uid', `${keyword} is ${text ? 'no UID' : 'missing'} in the data set`)
}

function checkAgainstCommand(facts: InstanceFacts, expected: { sopClassUID: string; sopInstanceUID: string }): void {
  if (facts.sopInstanceUID !== expected.sopInstanceUID)
    throw new InstanceError(
      'command-mismatch',
      `SOPInstanceUID differs: data set ${facts.sopInstanceUID}, command ${cut(expected.sopInstanceUID)}`,
    )
  if (facts.sopClassUID !== expected.sopClassUID)
    throw new InstanceError(
      'command-mismatch',
      `SOPClassUID differs: data set ${facts.sopClassUID}, command ${cut(expected.sopClassUID)}`,
    )
}

/** What a peer sends as a UID may be anything, of any length. */
const cut = (text: string): string => (/^[\d.]{1,64}$/.test(text) ? text : `no UID (${text.length} characters)`)

/** Longest binary value, in characters of base64, that a series' header carries. */
const longestInlineBinary = 1368

/** Elements and sequences without bulk data: what the first instance of a series tells about all of it. */
export function headerOf(elements: DicomJson): DicomJson {
  const header: DicomJson = {}
  for (const [tag, element] of Object.entries(elements)) {
    if (element.BulkDataURI !== undefined || (element.InlineBinary?.length ?? 0) > longestInlineBinary) continue
    header[tag] =
      element.vr === 'SQ' && element.Value
        ? { ...element, Value: element.Value.map((item) => (item === null ? item : headerOf(item as DicomJson))) }
        : element
  }
  return header
}
