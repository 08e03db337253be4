import { deflateSync } from 'node:zlib'
import { type FontName, winAnsi } from './pdf-fonts.ts'
import type { Picture } from './picture.ts'

/** A4, in points (1/72 inch). */
export const page = { width: 595, height: 842, margin: 56 } as const

/** Something on a page; places are in points from its lower left corner. */
export type PageItem =
  | { kind: 'text'; x: number; y: number; text: string; font: FontName; size: number; colour?: readonly number[] }
  | { kind: 'line'; from: readonly [number, number]; to: readonly [number, number] }
  | { kind: 'picture'; x: number; y: number; width: number; height: number; picture: Picture }

export interface PDFDocument {
  /** Any characters: it stands in the document's information, not on a page. */
  title: string
  /** ISO 8601 UTC. */
  at: string
  pages: readonly (readonly PageItem[])[]
}

const fonts: Readonly<Record<FontName, string>> = { Helvetica: 'F1', 'Helvetica-Bold': 'F2' }

/**
 * A PDF file (version 1.4, ISO 32000-1) of pages of text, lines and colour pictures. The same document gives the same bytes.
 * Text is set in the standard fonts, which hold the letters of Western Europe only (see `isPrintable`).
 */
export function writePDF(document: PDFDocument): Buffer {
  const objects: Buffer[] = []
  /** Adds an object and gives its number. */
  const add = (body: string | Buffer): number =>
    objects.push(typeof body === 'string' ? Buffer.from(body, 'latin1') : body)
  const pagesNumber = 2
  add(`<< /Type /Catalog /Pages ${pagesNumber} 0 R >>`)
  add('')
  const fontNumbers = Object.entries(fonts).map(([name, key]) => {
    const number = add(`<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`)
    return `/${key} ${number} 0 R`
  })
  const kids = document.pages.map((items) => {
    const pictures = items.flatMap((item) => (item.kind === 'picture' ? [add(pictureObject(item.picture))] : []))
    const contents = add(stream(contentsOf(items), ''))
    const images = pictures.map((number, index) => `/I${index} ${number} 0 R`).join(' ')
    return add(
      `<< /Type /Page /Parent ${pagesNumber} 0 R /MediaBox [0 0 ${page.width} ${page.height}] /Contents ${contents} 0 R ` +
        `/Resources << /Font << ${fontNumbers.join(' ')} >> /XObject << ${images} >> >> >>`,
    )
  })
  objects[pagesNumber - 1] = Buffer.from(
    `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((number) => `${number} 0 R`).join(' ')}] >>`,
  )
  const time = document.at.replace(/\D/g, '').slice(0, 14)
  const information = add(`<< /Title ${unicodeString(document.title)} /Producer (Hilum) /CreationDate (D:${time}Z) >>`)
  return assemble(objects, information)
}

/** Header, objects, cross-reference table and trailer (ISO 32000-1 7.5). */
function assemble(objects: readonly Buffer[], information: number): Buffer {
  // The comment of four high bytes tells programs that the file is binary.
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  let length = parts[0]?.length ?? 0
  const offsets: number[] = []
  objects.forEach((body, index) => {
    offsets.push(length)
    const whole = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')])
    parts.push(whole)
    length += whole.length
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ` +
        `/Info ${information} 0 R >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

function contentsOf(items: readonly PageItem[]): Buffer {
  let pictures = 0
  const parts = items.map((item) => {
    switch (item.kind) {
      case 'text': {
        const colour = (item.colour ?? [0, 0, 0]).map((value) => number(value / 255)).join(' ')
        return [
          `BT /${fonts[item.font]} ${number(item.size)} Tf ${colour} rg ${number(item.x)} ${number(item.y)} Td `,
          `<${winAnsi(item.text).toString('hex')}> Tj ET\n`,
        ].join('')
      }
      case 'line':
        return `0.5 w ${item.from.map(number).join(' ')} m ${item.to.map(number).join(' ')} l S\n`
      case 'picture':
        return `q ${number(item.width)} 0 0 ${number(item.height)} ${number(item.x)} ${number(item.y)} cm /I${pictures++} Do Q\n`
    }
  })
  return Buffer.from(parts.join(''), 'latin1')
}

const number = (value: number): string => String(Number(value.toFixed(2)))

function pictureObject({ width, height, rgb }: Picture): Buffer {
  const dictionary = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 `
  return stream(rgb, dictionary)
}

function stream(bytes: Uint8Array, dictionary: string): Buffer {
  const deflated = deflateSync(bytes)
  return Buffer.concat([
    Buffer.from(`<< ${dictionary}/Filter /FlateDecode /Length ${deflated.length} >>\nstream\n`),
    deflated,
    Buffer.from('\nendstream'),
  ])
}

/** A text string of the document's information, in UTF-16 (ISO 32000-1 7.9.2.2). */
function unicodeString(text: string): string {
  return `<feff${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`
}
