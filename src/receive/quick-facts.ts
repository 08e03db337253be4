import { findElements } from '../dicom/find-elements.ts'
import type { PixelDataPlace } from '../dicom/head.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import type { InstanceFacts } from './examine.ts'

/** In ascending order: SOP Class and Instance UID, Study and Series Instance UID, Instance Number, Number of Frames, Rows, Columns, Bits Allocated. */
const tags = [
  0x00080016, 0x00080018, 0x0020000d, 0x0020000e, 0x00200013, 0x00280008, 0x00280010, 0x00280011, 0x00280100,
] as const

/** What the index needs, out of a data set that leaves no doubt. */
export interface QuickFacts {
  facts: InstanceFacts
  /** Null where the data set has none, and ends with the bytes. */
  pixelData: Pick<PixelDataPlace, 'offset' | 'length'> | null
}

/**
 * Takes from a data set's first bytes what the index needs, with a small part of the work that reading its elements is.
 * @param dataSet as far as it is at hand
 * @returns null where anything is missing or unusual: then it has to be read
 */
export function quickFacts(dataSet: Buffer, transferSyntaxUID: string): QuickFacts | null {
  const { littleEndian, deflated, explicitVR } = transferSyntax(transferSyntaxUID)
  const found = littleEndian && !deflated ? findElements(dataSet, tags, explicitVR) : null
  if (found === null) return null
  const texts: (string | null)[] = []
  for (let i = 0; i < 6; i++) texts.push(textAt(dataSet, found.offsets[i] as number, found.lengths[i] as number))
  const [sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID, instanceNumber, numberOfFrames] = texts
  if (!isUID(sopClassUID) || !isUID(sopInstanceUID) || !isUID(studyInstanceUID) || !isUID(seriesInstanceUID))
    return null
  if (!isInteger(instanceNumber) || !isInteger(numberOfFrames)) return null
  for (let i = 6; i < 9; i++) if (found.offsets[i] !== -1 && found.lengths[i] !== 2) return null
  const facts = {
    sopClassUID,
    sopInstanceUID,
    studyInstanceUID,
    seriesInstanceUID,
    instanceNumber: numberIn(instanceNumber),
    rows: shortAt(dataSet, found.offsets[6] as number),
    columns: shortAt(dataSet, found.offsets[7] as number),
    bitsAllocated: shortAt(dataSet, found.offsets[8] as number),
    numberOfFrames: numberIn(numberOfFrames),
  }
  return { facts, pixelData: found.pixelData }
}

/** Without padding; null where the element is absent or empty. */
function textAt(bytes: Buffer, offset: number, length: number): string | null {
  if (offset < 0) return null
  let end = offset + length
  while (end > offset && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--
  return end === offset ? null : bytes.toString('latin1', offset, end)
}

const uidPattern = /^\d[\d.]{0,63}$/
const integerPattern = /^-?\d{1,12}$/

function isUID(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && uidPattern.test(text)
}

function isInteger(text: string | null | undefined): text is string | null {
  return text === null || (text !== undefined && integerPattern.test(text))
}

const numberIn = (text: string | null): number | null => (text === null ? null : Number(text))

function shortAt(bytes: Buffer, offset: number): number | null {
  return offset < 0 ? null : (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8)
}
