import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { boxOverlap } from '../../src/evaluate/compare-findings.ts'
import { encodeCsv, parseCsv } from '../../src/evaluate/csv.ts'
import { matching } from '../../src/evaluate/reference-masks.ts'
import { addTable, emptyTables } from '../../src/evaluate/reference-tables.ts'
import { escaped, html, measured, shown } from '../../src/evaluate/report/html.ts'
import { axisAround } from '../../src/evaluate/report/plot.ts'
import { encodeGreyPng } from '../../src/evaluate/report/png.ts'
import { available, runProgram } from '../support/programs.ts'

describe('tables', () => {
  it('are read with quotes, other separators and a byte order mark', () => {
    expect(parseCsv('\uFEFFa;b\r\n"x; ""y""";2\r\n\r\n')).toEqual([['a', 'b'], ['x; "y"', '2']]) // biome-ignore format: rows
    expect(parseCsv('a,b\n"1\n2", 3 ')).toEqual([['a', 'b'], ['1\n2', '3']]) // biome-ignore format: rows
  })

  it('come back as they were written, and no cell is a formula', () => {
    const rows = [['a "b"', 'c,d', 1.5, null, 'e\nf']]
    expect(parseCsv(encodeCsv(rows))).toEqual([['a "b"', 'c,d', '1.5', '', 'e\nf']])
    expect(encodeCsv([['=1+1', -1, Number.NaN]])).toBe("'=1+1,-1,\r\n")
  })

  it('of boxes gather those of one lesion', () => {
    const tables = emptyTables()
    addTable(
      tables,
      'case,lesion,image,left,top,right,bottom\na,1,1,0,0,2,2\na,1,2,0,0,2,2\na,,2,5,5,6,6\nb,,,,,,\n',
      'f',
    )
    expect(tables.lesions.get('a')?.map(({ boxes }) => boxes.length)).toEqual([2, 1])
    expect(tables.lesions.get('b')).toEqual([])
  })

  it('of one case may be several, but not say a thing twice', () => {
    const tables = emptyTables()
    addTable(tables, 'case,x\na,1\n', 'f')
    addTable(tables, 'case,y\na,2\n', 'g')
    expect(tables.values.get('a')).toEqual({ x: '1', y: '2' })
    expect(() => addTable(tables, 'case,x\na,3\n', 'h')).toThrow(/h: row 2: the case stands there twice/)
  })
})

describe('segments of a reference', () => {
  const code = (value: string) => ({ value, scheme: 'SCT', meaning: value })
  const segment = (number: number, label: string, type: string, modifiers: string[] = []) => ({
    id: label.toLowerCase(),
    number,
    tracking: null,
    definition: {
      label,
      category: code('c'),
      type: code(type),
      modifiers: modifiers.map(code),
      colour: [0, 0, 0] as const,
    },
  })
  const drawn = [segment(5, 'LEFT', '1', ['a']), segment(6, 'other', '2', ['b', 'a'])]

  it('are found by name, then by code, or because there is one', () => {
    const numbers = (of: ReturnType<typeof segment>, count = 2, among = drawn) =>
      matching(of, among, count).map(({ number }) => number)
    expect(numbers(segment(1, 'Left', '9'))).toEqual([5])
    expect(numbers(segment(1, 'x', '2', ['a', 'b']))).toEqual([6])
    expect(numbers(segment(1, 'x', '2', ['a']))).toEqual([])
    expect(numbers(segment(1, 'x', '9'), 1)).toEqual([])
    expect(numbers(segment(1, 'x', '9'), 1, drawn.slice(1))).toEqual([6])
  })
})

it('boxes overlap by intersection over union', () => {
  const box = (left: number, top: number, right: number, bottom: number) => ({ left, top, right, bottom })
  expect(boxOverlap(box(0, 0, 4, 4), box(2, 0, 6, 4))).toBeCloseTo(8 / 24, 12)
  expect(boxOverlap(box(0, 0, 1, 1), box(1, 0, 2, 1))).toBe(0)
})

describe('a page', () => {
  it('escapes whatever is put into it', () => {
    const words = `<a href="x">'&'</a>\u0000`
    expect(escaped(words)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;')
    expect(html`<p title="${words}">${[html`<b>${words}</b>`, null, 3]}</p>`.text).toBe(
      `<p title="${escaped(words)}"><b>${escaped(words)}</b>3</p>`,
    )
  })

  it('writes numbers for people', () => {
    expect([shown(-0.12345), shown(null), measured(1234.5), measured(12.3456), measured(-0.01234), measured(Number.NaN)]).toEqual(['−0.123', '–', '1235', '12.35', '−0.0123', '–']) // biome-ignore format: a list
  })

  it('has round ticks around values', () => {
    expect(axisAround('x', [-1.2, 0.9]).ticks).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(axisAround('x', [5]).range).toEqual([4.5, 5.5])
  })
})

describe('a PNG', () => {
  const grey = Uint8Array.from({ length: 7 * 5 }, (_, i) => (i * 37) % 256)
  const png = encodeGreyPng(grey, 7, 5)

  it('holds the pixels', () => {
    const data = png.indexOf('IDAT')
    const rows = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)))
    expect(Buffer.from(rows.filter((_, at) => at % 8 !== 0))).toEqual(Buffer.from(grey))
  })

  const hasPillow = available('/usr/bin/python3') && runProgram('python3', ['-c', 'import PIL']).code === 0
  it.skipIf(!hasPillow)('is read by others (needs python3-pil)', () => {
    const script = `import base64,io;from PIL import Image;i=Image.open(io.BytesIO(base64.b64decode("${png.toString('base64')}")));print(i.mode,i.size,list(i.getdata())[:4])`
    expect(runProgram('python3', ['-c', script]).stdout.trim()).toBe('L (7, 5) [0, 37, 74, 111]')
  })
})
