import { open } from 'node:fs/promises'
import { textOf } from '../dicom/dataset.ts'
import { DicomError } from '../dicom/error.ts'
import { readHead } from '../dicom/head.ts'
import { maximumFileMetaLength, parseFileMeta } from '../dicom/part10.ts'
import type { ProposedContext } from './association-pdu.ts'

/** A file to be sent, as its file meta information describes it. */
export interface PlannedFile {
  path: string
  /** Place in the caller's list. */
  index: number
  sopClassUID: string
  sopInstanceUID: string
  transferSyntaxUID: string
  dataSetOffset: number
  /** Presentation context that it needs; 0 until it is planned. */
  contextID: number
}

/** What goes over one association. */
export interface PlannedAssociation {
  contexts: ProposedContext[]
  files: PlannedFile[]
}

/** IDs are the odd numbers from 1 to 255 (PS3.8 table 9-13). */
const maximumContexts = 128
const usualMetaLength = 4096

/**
 * Reads what is needed to send a file.
 * @throws {DicomError} `not-part10`, `truncated`; and what the file system says
 */
export async function readPlannedFile(path: string, index: number): Promise<PlannedFile> {
  const handle = await open(path, 'r')
  try {
    const start = await readStart(handle)
    const meta = parseFileMeta(start)
    const names = namesOf(start.subarray(meta.dataSetOffset), meta)
    if (names.sopClassUID === '' || names.sopInstanceUID === '')
      throw new DicomError('not-part10', 'the file names no SOP class or instance')
    return {
      path,
      index,
      ...names,
      transferSyntaxUID: meta.transferSyntaxUID,
      dataSetOffset: meta.dataSetOffset,
      contextID: 0,
    }
  } finally {
    await handle.close()
  }
}

/**
 * The UIDs of the data set, which is what a receiver compares them with: programs that anonymise or copy often leave the meta
 * information as it was. Where the data set's first bytes do not tell, those of the meta information.
 */
function namesOf(
  dataSet: Uint8Array,
  meta: ReturnType<typeof parseFileMeta>,
): Pick<PlannedFile, 'sopClassUID' | 'sopInstanceUID'> {
  const { elements } = readHead(dataSet, { transferSyntaxUID: meta.transferSyntaxUID, only: nameTags })
  return {
    sopClassUID: textOf(elements, 'SOPClassUID') ?? meta.mediaStorageSOPClassUID,
    sopInstanceUID: textOf(elements, 'SOPInstanceUID') ?? meta.mediaStorageSOPInstanceUID,
  }
}

/** SOP Class UID and SOP Instance UID. */
const nameTags: ReadonlySet<number> = new Set([0x00080016, 0x00080018])

/** Bytes from the start that hold the whole file meta information; nearly always the first few hundred do. */
async function readStart(handle: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  for (let length = usualMetaLength; ; length *= 16) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0)
    const start = buffer.subarray(0, bytesRead)
    if (bytesRead < length || length > maximumFileMetaLength) return start
    try {
      parseFileMeta(start)
      return start
    } catch (error) {
      if (!(error instanceof DicomError) || error.code !== 'truncated') throw error
    }
  }
}

/** Gives each pair of SOP class and transfer syntax a context, and opens a new association where one has 128 of them. */
export function planAssociations(files: readonly PlannedFile[]): PlannedAssociation[] {
  const plans: PlannedAssociation[] = []
  const places = new Map<string, { plan: PlannedAssociation; id: number }>()
  for (const file of files) {
    const pair = `${file.sopClassUID} ${file.transferSyntaxUID}`
    let place = places.get(pair)
    if (place === undefined) {
      place = addContext(plans, file)
      places.set(pair, place)
    }
    place.plan.files.push({ ...file, contextID: place.id })
  }
  return plans
}

function addContext(plans: PlannedAssociation[], file: PlannedFile): { plan: PlannedAssociation; id: number } {
  let plan = plans.at(-1)
  if (plan === undefined || plan.contexts.length === maximumContexts) {
    plan = { contexts: [], files: [] }
    plans.push(plan)
  }
  const id = 2 * plan.contexts.length + 1
  plan.contexts.push({ id, abstractSyntax: file.sopClassUID, transferSyntaxes: [file.transferSyntaxUID] })
  return { plan, id }
}
