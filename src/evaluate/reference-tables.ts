import { parseCsv } from './csv.ts'
import { EvaluateError } from './error.ts'

/** A box of the reference, in pixels from the top left corner of an image. */
export interface ReferenceBox {
  /** SOP Instance UID, or the number of the image from 1; null where the case has one image. */
  image: string | null
  left: number
  top: number
  right: number
  bottom: number
}

/** Something that a detector has to find; several boxes are the same thing on several images. */
export interface ReferenceLesion {
  /** Id of the class; null for any. */
  class: string | null
  boxes: ReferenceBox[]
}

/** What tables say, by case: the folder's name, or the Series Instance UID. */
export interface ReferenceTables {
  /** Cells by column. */
  values: Map<string, Record<string, string>>
  /** Columns of the tables of values, but those that name the case. */
  columns: Set<string>
  lesions: Map<string, ReferenceLesion[]>
}

export function emptyTables(): ReferenceTables {
  return { values: new Map(), columns: new Set(), lesions: new Map() }
}

/**
 * Adds a table to those that were read: boxes where it has the columns left, top, right and bottom, else values of a case.
 * @param file for errors
 * @throws EvaluateError `bad-reference` with file and line
 */
export function addTable(tables: ReferenceTables, text: string, file: string): void {
  const [header, ...rows] = parseCsv(text)
  const columns = header ?? []
  const lower = columns.map((column) => column.toLowerCase())
  const caseColumn = ['case', 'seriesinstanceuid'].map((name) => lower.indexOf(name)).find((at) => at >= 0)
  if (caseColumn === undefined)
    throw new EvaluateError('bad-reference', `${file}: a column "case" or "SeriesInstanceUID" is expected`)
  const isBoxes = ['left', 'top', 'right', 'bottom'].every((name) => lower.includes(name))
  for (const [index, row] of rows.entries()) {
    const where = `${file}: row ${index + 2}`
    const name = row[caseColumn] ?? ''
    if (name === '') throw new EvaluateError('bad-reference', `${where}: no case is named`)
    if (isBoxes) addBox(tables, name, { cell: (column) => row[lower.indexOf(column)] ?? '', where })
    else {
      if (tables.values.get(name) && columns.some((c, at) => at !== caseColumn && c in (tables.values.get(name) ?? {})))
        throw new EvaluateError('bad-reference', `${where}: the case stands there twice`)
      const cells = Object.fromEntries(columns.map((column, at) => [column, row[at] ?? '']))
      delete cells[columns[caseColumn] as string]
      tables.values.set(name, { ...tables.values.get(name), ...cells })
      for (const column of Object.keys(cells)) tables.columns.add(column)
    }
  }
}

/** A row without corners says that the case was looked at, and nothing is there. */
function addBox(
  { lesions }: ReferenceTables,
  name: string,
  { cell, where }: { cell: (column: string) => string; where: string },
): void {
  const known = lesions.get(name) ?? []
  lesions.set(name, known)
  const texts = ['left', 'top', 'right', 'bottom'].map(cell)
  if (texts.every((text) => text === '')) return
  const [left, top, right, bottom] = texts.map((text) => (text === '' ? Number.NaN : Number(text)))
  if (left === undefined || top === undefined || !((right ?? 0) > left) || !((bottom ?? 0) > top))
    throw new EvaluateError('bad-reference', `${where}: left < right and top < bottom are expected, in pixels`)
  const box = { image: cell('image') || null, left, top, right: right as number, bottom: bottom as number }
  const id = cell('lesion')
  const same = id === '' ? undefined : (known as (ReferenceLesion & { id?: string })[]).find((one) => one.id === id)
  if (same) same.boxes.push(box)
  else known.push(Object.assign({ class: cell('class') || null, boxes: [box] }, id === '' ? {} : { id }))
}

const truths: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  positive: true,
  present: true,
  '0': false,
  false: false,
  no: false,
  negative: false,
  absent: false,
}

/**
 * Whether a cell says that something is there; null where it is empty.
 * @throws EvaluateError `bad-reference`
 */
export function truthOf(cell: string | undefined, where: string): boolean | null {
  if (cell === undefined || cell === '') return null
  const truth = truths[cell.toLowerCase()]
  if (truth === undefined)
    throw new EvaluateError('bad-reference', `${where}: "${cell}": 1 or 0, or yes or no, is expected`)
  return truth
}

/**
 * A number of a cell; null where it is empty.
 * @throws EvaluateError `bad-reference`
 */
export function numberIn(cell: string | undefined, where: string): number | null {
  if (cell === undefined || cell === '') return null
  const number = Number(cell)
  if (!Number.isFinite(number)) throw new EvaluateError('bad-reference', `${where}: "${cell}": a number is expected`)
  return number
}
