import { type FontName, lineWidth } from './pdf-fonts.ts'
import { type PageItem, page } from './pdf-writer.ts'
import type { Picture } from './picture.ts'

/** What a summary consists of, from top to bottom. */
export type Block =
  | { kind: 'heading'; text: string }
  | { kind: 'paragraph'; text: string; emphasis?: boolean }
  /** Rows of cells; the first row is set in bold where `header` is true. */
  | { kind: 'table'; rows: readonly (readonly string[])[]; header: boolean; widths: readonly number[] }
  | { kind: 'picture'; picture: Picture; caption: string }

const textSize = 10
const headingSize = 13
const red: readonly number[] = [180, 0, 0]
const usable = page.width - page.margin * 2

/** The places of blocks on pages, with a foot line on each. */
export function layOut(blocks: readonly Block[], foot: string): PageItem[][] {
  const pages: PageItem[][] = [[]]
  let y: number = page.height - page.margin
  /** Makes room for so many points, on a new page if need be, and gives the pages' current one. */
  const room = (height: number): PageItem[] => {
    if (y - height < page.margin + 20) {
      pages.push([])
      y = page.height - page.margin
    }
    y -= height
    return pages[pages.length - 1] ?? []
  }
  const write = (text: string, style: { font: FontName; size: number; colour?: readonly number[] }): void => {
    for (const line of wrapped(text, usable, style)) {
      const items = room(style.size * 1.35)
      items.push({ kind: 'text', x: page.margin, y, text: line, ...style })
    }
  }
  for (const block of blocks) {
    switch (block.kind) {
      case 'heading':
        room(8)
        write(block.text, { font: 'Helvetica-Bold', size: headingSize })
        break
      case 'paragraph':
        write(
          block.text,
          block.emphasis
            ? { font: 'Helvetica-Bold', size: textSize, colour: red }
            : { font: 'Helvetica', size: textSize },
        )
        break
      case 'table':
        block.rows.forEach((cells, index) => {
          const font = block.header && index === 0 ? 'Helvetica-Bold' : 'Helvetica'
          const { lines, height } = tableRow(cells, block.widths, font)
          const items = room(height)
          items.push(...lines.map((line) => ({ ...line, y: y + height - textSize * 1.2 - line.down })))
          items.push({ kind: 'line', from: [page.margin, y], to: [page.width - page.margin, y] })
        })
        break
      case 'picture': {
        const { picture, caption } = block
        // A picture takes what is left of a page, if that is enough to see something.
        const left = y - page.margin - 50
        const most = left >= 220 ? Math.min(380, left) : 380
        const zoom = Math.min(usable / picture.width, most / picture.height)
        const [width, height] = [picture.width * zoom, picture.height * zoom]
        const items = room(height + 10)
        items.push({ kind: 'picture', x: page.margin, y, width, height, picture })
        write(caption, { font: 'Helvetica', size: textSize })
        break
      }
    }
    room(4)
  }
  pages.forEach((items, index) => {
    const text = `${foot}   page ${index + 1} of ${pages.length}`
    items.push({ kind: 'text', x: page.margin, y: page.margin - 20, text, font: 'Helvetica', size: 8 })
  })
  return pages
}

type CellLine = Extract<PageItem, { kind: 'text' }> & { down: number }

/** Lines of a row's cells, each `down` so many points from the first. */
function tableRow(
  cells: readonly string[],
  widths: readonly number[],
  font: FontName,
): { lines: CellLine[]; height: number } {
  const total = widths.reduce((sum, width) => sum + width, 0)
  const lines: CellLine[] = []
  let most = 1
  let x: number = page.margin
  cells.forEach((cell, column) => {
    const width = (usable * (widths[column] ?? 1)) / total
    const own = wrapped(cell, width - 6, { font, size: textSize })
    most = Math.max(most, own.length)
    own.forEach((text, index) => {
      lines.push({ kind: 'text', x, y: 0, text, font, size: textSize, down: index * textSize * 1.25 })
    })
    x += width
  })
  return { lines, height: most * textSize * 1.25 + 5 }
}

/** Breaks text between words; a word that is longer than a line is broken where the line ends. */
function wrapped(text: string, width: number, { font, size }: { font: FontName; size: number }): string[] {
  const fits = (line: string): boolean => lineWidth(line, font, size) <= width
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (fits(longer)) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = ''
    for (const character of word) {
      if (!fits(line + character)) {
        lines.push(line)
        line = ''
      }
      line += character
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines
}
