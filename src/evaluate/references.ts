import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { itemsOf, textOf } from '../dicom/dataset.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { messageOf } from '../errors.ts'
import type { Case, FilesUnder } from './cases.ts'
import { EvaluateError } from './error.ts'
import { addTable, emptyTables, type ReferenceTables } from './reference-tables.ts'

/** Files that hold the masks of a case. */
export type MaskReference =
  | { kind: 'dicom'; file: string }
  | { kind: 'nifti'; file: string }
  /** A file for each segment, by the segment's id. */
  | { kind: 'nifti-by-segment'; files: Map<string, string> }

export interface References {
  tables: ReferenceTables
  masksOf(of: Case): MaskReference | null
}

const nifti = /\.nii(\.gz)?$/i

/**
 * Reads what is known to be true: a folder, or one file (a table; or the masks of the only case).
 *
 * In a folder, tables are its `.csv` files. Masks belong to a case by the name of a folder (`case/…`) or of a file (`case.nii.gz`, `case.dcm`),
 * the Series Instance UID in the place of the case's name, or, for DICOM segmentations anywhere in it, by the series that they refer to.
 * @throws EvaluateError `bad-reference`
 */
export async function readReferences(
  place: string,
  cases: readonly Case[],
  filesUnder: FilesUnder,
): Promise<References> {
  const found = await stat(place).catch(() => null)
  if (!found) throw new EvaluateError('bad-reference', `${place}: no such file or folder`)
  const tables = emptyTables()
  if (found.isFile()) {
    if (/\.csv$/i.test(place)) {
      addTable(tables, await readFile(place, 'utf8'), place)
      return { tables, masksOf: () => null }
    }
    const [only] = cases
    if (cases.length > 1 || !only)
      throw new EvaluateError(
        'bad-reference',
        `${place}: masks in one file are those of one case, ${cases.length} are there`,
      )
    const kind = nifti.test(place) ? ('nifti' as const) : ('dicom' as const)
    return { tables, masksOf: () => ({ kind, file: place }) }
  }
  const masks = new Map<string, MaskReference>()
  for (const entry of (await readdir(place, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(place, entry.name)
    if (entry.isDirectory()) {
      const inside = await masksIn(file)
      if (inside) masks.set(entry.name, inside)
    } else if (/\.csv$/i.test(entry.name)) addTable(tables, await readFile(file, 'utf8'), file)
    else if (nifti.test(entry.name)) masks.set(entry.name.replace(nifti, ''), { kind: 'nifti', file })
    else if (/\.dcm$/i.test(entry.name)) masks.set(entry.name.replace(/\.dcm$/i, ''), { kind: 'dicom', file })
  }
  const bySeries = await segmentationsBySeries(place, filesUnder)
  return {
    tables,
    masksOf: ({ name, seriesInstanceUID }) =>
      masks.get(name) ?? masks.get(seriesInstanceUID) ?? bySeries.get(seriesInstanceUID) ?? null,
  }
}

/** NIfTI files of a case's folder: one is a label map, unless it has the name of a segment; several are a segment each. */
async function masksIn(folder: string): Promise<MaskReference | null> {
  const files = (await readdir(folder)).filter((file) => nifti.test(file)).sort()
  if (files.length === 0) return null
  return {
    kind: 'nifti-by-segment',
    files: new Map(files.map((file) => [file.replace(nifti, ''), path.join(folder, file)])),
  }
}

async function segmentationsBySeries(folder: string, filesUnder: FilesUnder): Promise<Map<string, MaskReference>> {
  const found = new Map<string, MaskReference>()
  for (const file of await filesUnder(folder)) {
    try {
      const { elements } = await readInstanceFile(file)
      if (textOf(elements, 'Modality') !== 'SEG') continue
      for (const item of itemsOf(elements, 'ReferencedSeriesSequence')) {
        const series = textOf(item, 'SeriesInstanceUID')
        if (series === null) continue
        if (found.has(series))
          throw new EvaluateError('bad-reference', `${file}: another segmentation refers to the same series ${series}`)
        found.set(series, { kind: 'dicom', file })
      }
    } catch (error) {
      if (error instanceof EvaluateError) throw error
      throw new EvaluateError('bad-reference', `${file}: cannot be read: ${messageOf(error)}`)
    }
  }
  return found
}
