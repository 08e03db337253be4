import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { keywordOf } from '../dicom/dictionary.ts'
import { readHead } from '../dicom/head.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import type { Part10Digest } from '../dicomweb/client-digest.ts'
import { digestFile } from '../dicomweb/client-digest.ts'
import type { Deliverable, Destination } from './destination.ts'

/** What reading back has shown. `sentence` is kept as the proof, or as the reason why there is none. */
export type Proof =
  | { kind: 'identical'; sentence: string }
  /** The same instance, with other bytes: re-encoded, or with a changed header. */
  | { kind: 'changed'; sentence: string }
  | { kind: 'absent'; sentence: string }
  /** Something with that UID is there, but it is another object. */
  | { kind: 'different'; sentence: string }

/** What has to be the same for two data sets to be one instance, whatever the encoding. */
const identity = [
  'SOPClassUID',
  'SOPInstanceUID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'NumberOfFrames',
  'Rows',
  'Columns',
] as const
const identityWords = 'the same UIDs, frames, rows and columns'

/**
 * Proves that a destination holds an object: QIDO-RS lists its SOP Instance UID, and WADO-RS returns it.
 * @param now the time that the proof's sentence carries
 * @throws DicomwebClientError where the destination could not be asked
 */
export async function proveInstance(destination: Destination, result: Deliverable, now: () => Date): Promise<Proof> {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = result
  const listed = await destination.searchInstance(studyInstanceUID, seriesInstanceUID, sopInstanceUID)
  if (listed === null) return { kind: 'absent', sentence: 'not listed by QIDO-RS' }
  const theirs = await destination.retrieveInstance(studyInstanceUID, seriesInstanceUID, sopInstanceUID)
  if (theirs === null) return { kind: 'absent', sentence: 'listed by QIDO-RS, but WADO-RS has no such instance' }
  const ours = await digestFile(result.path)
  return compare(ours, theirs, now().toISOString())
}

function compare(ours: Part10Digest, theirs: Part10Digest, at: string): Proof {
  if (ours.dataSetSha256 === theirs.dataSetSha256 && ours.transferSyntaxUID === theirs.transferSyntaxUID) {
    const what = `${count(ours.dataSetBytes)} bytes, sha256 ${ours.dataSetSha256.slice(0, 12)}…`
    return {
      kind: 'identical',
      sentence: `listed by QIDO-RS and returned by WADO-RS with identical data set (${what}) at ${at}`,
    }
  }
  const mine = elementsOf(ours)
  const other = elementsOf(theirs)
  const unequal = identity.filter((keyword) => textOf(mine, keyword) !== textOf(other, keyword))
  if (unequal.length > 0)
    return {
      kind: 'different',
      sentence: `WADO-RS returned another object under this UID: ${unequal.join(', ')} differ`,
    }
  return {
    kind: 'changed',
    sentence: `listed by QIDO-RS and returned by WADO-RS at ${at} with ${identityWords}; ${changes(ours, theirs, mine, other)}`,
  }
}

/** Keywords only: values may be a patient's. */
function changes(ours: Part10Digest, theirs: Part10Digest, mine: DicomJson, other: DicomJson): string {
  const sizes = `${count(theirs.dataSetBytes)} bytes there, ${count(ours.dataSetBytes)} here`
  const differing = Object.keys({ ...mine, ...other }).filter(
    (tag) => JSON.stringify(mine[tag]) !== JSON.stringify(other[tag]),
  )
  const names = differing.slice(0, 6).map((tag) => keywordOf(tag) ?? `(${tag.slice(0, 4)},${tag.slice(4)})`)
  const header =
    names.length === 0
      ? 'no header element differs'
      : `differing in ${names.join(', ')}${differing.length > 6 ? ' …' : ''}`
  if (ours.transferSyntaxUID !== theirs.transferSyntaxUID)
    return `the server re-encoded it from ${transferSyntax(ours.transferSyntaxUID).name} to ${transferSyntax(theirs.transferSyntaxUID).name} (${sizes}), ${header}`
  return `the server changed the data set (${sizes}), ${header}`
}

function elementsOf(digest: Part10Digest): DicomJson {
  const { elements } = readHead(digest.head, { transferSyntaxUID: digest.transferSyntaxUID })
  // Bulk data is told apart by its place in the file, which says nothing about its content.
  return Object.fromEntries(Object.entries(elements).filter(([, element]) => element.BulkDataURI === undefined))
}

function count(bytes: number): string {
  return bytes.toLocaleString('en-US')
}
