import { textOf } from '../dicom/dataset.ts'
import { caution } from './caution.ts'
import type { ResultContext } from './encoding-input.ts'
import { isPrintable } from './pdf-fonts.ts'
import { type Block, layOut } from './pdf-layout.ts'
import { writePDF } from './pdf-writer.ts'

export interface Summary {
  /** Title of the page and of the document; the algorithm's when left out. */
  title?: string
  /** Headings, paragraphs, tables and pictures behind the patient's and study's data. */
  blocks: readonly Block[]
}

/** Stands for text in letters that the standard fonts do not have: a name with a letter changed would be another name. */
const elsewhere = '(in letters that this page cannot show: see the DICOM header)'

/**
 * A summary as PDF: who and what was examined, by which algorithm, that nobody has verified it, and the blocks.
 *
 * The standard fonts of PDF hold the letters of Western Europe only. Patient and study data in other letters is not changed or
 * transliterated: the page says that it stands in the header of the DICOM object, and the document's title, which readers show in any
 * script, holds the name. Other text shows question marks.
 */
export function summaryPDF(context: ResultContext, { title, blocks }: Summary): Buffer {
  const { algorithm, source, at } = context
  const heading = title ?? algorithm.title
  const field = (name: string, keyword: string): string[] => {
    const text = (textOf(source.header, keyword) ?? '').replaceAll('^', ' ').trim()
    return [name, isPrintable(text) ? text : elsewhere]
  }
  const rows = [
    field('Patient', 'PatientName'),
    field('Patient ID', 'PatientID'),
    field('Born', 'PatientBirthDate'),
    field('Study', 'StudyDescription'),
    field('Study date', 'StudyDate'),
    field('Accession number', 'AccessionNumber'),
    ['Algorithm', `${algorithm.name} ${algorithm.version}, ${algorithm.manufacturer}`],
    ['Computed', at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
  ]
  const pages = layOut(
    [
      { kind: 'heading', text: heading },
      { kind: 'paragraph', text: `${caution(algorithm)}.`, emphasis: true },
      { kind: 'table', rows, header: false, widths: [1, 3] },
      ...blocks,
    ],
    `${caution(algorithm)}. ${algorithm.name} ${algorithm.version}.`,
  )
  const name = (textOf(source.header, 'PatientName') ?? '').replaceAll('^', ' ').trim()
  return writePDF({ title: name === '' ? heading : `${heading}: ${name}`, at, pages })
}
