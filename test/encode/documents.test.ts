import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, numbersOf, textOf, textsOf } from '../../src/dicom/dataset.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { layoutOf } from '../../src/encode/overlay-picture.ts'
import { summaryPDF } from '../../src/encode/summary-pdf.ts'
import { sampleCapture, sampleFindings } from './further-objects.ts'
import { firstItem, objectOf, readBack } from './read-back.ts'
import { syntheticInput } from './synthetic.ts'

describe('a presentation state', () => {
  it('draws each region on its image, with the words and the window that it is given', async () => {
    const input = syntheticInput()
    const annotations = sampleFindings(input).map(({ slice, regions, label }) => ({ slice, regions, text: label }))
    const { d } = await readBack(
      objectOf(input, { kind: 'presentation-state', annotations, window: { center: -400, width: 1200 } }),
    )
    const [annotation = {}, ...more] = itemsOf(d, 'GraphicAnnotationSequence')
    expect(more).toEqual([])
    expect(textOf(firstItem(annotation, 'ReferencedImageSequence'), 'ReferencedSOPInstanceUID')).toBe(
      input.source.slices[12]?.sopInstanceUID,
    )
    const graphics = itemsOf(annotation, 'GraphicObjectSequence')
    expect(graphics.map((item) => [textOf(item, 'GraphicType'), numberOf(item, 'NumberOfGraphicPoints')])).toEqual([
      ['POLYLINE', 5],
      ['POINT', 1],
      ['POLYLINE', 5],
    ])
    expect(itemsOf(annotation, 'TextObjectSequence').map((item) => textOf(item, 'UnformattedTextValue'))).toEqual([
      'AI result, not verified',
      'Nodule 1',
      'Nodule 2',
    ])
    expect(numbersOf(firstItem(d, 'SoftcopyVOILUTSequence'), 'WindowCenter')).toEqual([-400])
    expect(itemsOf(firstItem(d, 'ReferencedSeriesSequence'), 'ReferencedImageSequence')).toHaveLength(24)
  })

  it('names the frames of a multi-frame source', async () => {
    const input = syntheticInput({ multiFrame: true, slices: 3 })
    const annotations = [{ slice: 1, regions: [{ kind: 'point', column: 3, row: 4 } as const] }]
    const { d } = await readBack(objectOf(input, { kind: 'presentation-state', annotations }))
    const [image = {}] = itemsOf(firstItem(d, 'ReferencedSeriesSequence'), 'ReferencedImageSequence')
    expect(numbersOf(image, 'ReferencedFrameNumber')).toEqual([1, 2, 3])
    const annotated = firstItem(d, 'GraphicAnnotationSequence', 'ReferencedImageSequence')
    expect(numbersOf(annotated, 'ReferencedFrameNumber')).toEqual([2])
  })
})

describe('key images', () => {
  it('are references with the reason and the algorithm as observer, also to another series of the study', async () => {
    const input = syntheticInput()
    const other = { sopClassUID: SOP.mrImage, sopInstanceUID: '1.2.3.1', frame: null, imagePositionPatient: null }
    const images = [...input.source.slices.slice(3, 4), { ...other, seriesInstanceUID: '1.2.3' }]
    const { d } = await readBack(objectOf(input, { kind: 'key-images', description: 'largest nodule', images }))
    const content = itemsOf(d, 'ContentSequence')
    expect(
      content
        .filter((item) => textOf(item, 'ValueType') === 'IMAGE')
        .map((item) => textOf(firstItem(item, 'ReferencedSOPSequence'), 'ReferencedSOPInstanceUID')),
    ).toEqual([input.source.slices[3]?.sopInstanceUID, '1.2.3.1'])
    expect(content.some((item) => textOf(item, 'TextValue') === 'AI result, not verified: largest nodule')).toBe(true)
    const evidence = itemsOf(firstItem(d, 'CurrentRequestedProcedureEvidenceSequence'), 'ReferencedSeriesSequence').map(
      (series) => textOf(series, 'SeriesInstanceUID'),
    )
    expect(evidence).toEqual([input.source.seriesInstanceUID, '1.2.3'])
  })
})

describe('a colour capture', () => {
  it('blends segments over the grey image where the masks are, and nowhere else', async () => {
    const input = syntheticInput({ rows: 512, columns: 512, slices: 3 })
    const { heatMap: _, ...capture } = sampleCapture(input)
    const { d, frames } = await readBack(
      objectOf(input, { kind: 'colour-capture', ...capture, greyOf: () => new Float32Array(512 * 512).fill(-400) }),
    )
    const width = numberOf(d, 'Columns') ?? 0
    const height = numberOf(d, 'Rows') ?? 0
    expect([frames.length, frames[0]?.length]).toEqual([3, width * height * 3])
    const aspect = 0.75 / 0.7
    const { image } = layoutOf(
      { rows: 512, columns: 512, aspect, headings: ['AI result, not verified'], notes: ['', ''] },
      { ...capture },
    )
    const frame = frames[1] ?? new Uint8Array(0)
    const pixel = (x: number, y: number): number[] => {
      const at = ((image.y + Math.round(y * aspect)) * width + image.x + x) * 3
      return Array.from(frame.subarray(at, at + 3))
    }
    // 40 % of (90, 174, 128) over the grey of the window's middle, and of (180, 174, 128).
    expect(pixel(358, 256)).toEqual([112, 146, 127])
    expect(pixel(154, 256)).toEqual([148, 146, 127])
    expect(pixel(10, 10)).toEqual([127, 127, 127])
    expect([textOf(d, 'BurnedInAnnotation'), textsOf(d, 'ImageType')]).toEqual(['YES', ['DERIVED', 'SECONDARY']])
  })
})

/** Text that a PDF shows, out of its content streams. */
function textOfPDF(pdf: Buffer): string {
  const found: string[] = []
  for (let at = pdf.indexOf('stream\n'); at >= 0; at = pdf.indexOf('stream\n', pdf.indexOf('endstream', at) + 10)) {
    const contents = inflateSync(pdf.subarray(at + 7)).toString('latin1')
    for (const [, hex = ''] of contents.matchAll(/<([0-9a-f]*)> Tj/g))
      found.push(Buffer.from(hex, 'hex').toString('latin1'))
  }
  return found.join('\n')
}

describe('a summary', () => {
  it('is a PDF in a DICOM object, with patient, algorithm and the words that nobody verified it', async () => {
    const input = syntheticInput({ header: { PatientName: 'Müller^Jörg' } })
    const { d } = await readBack(
      objectOf(input, { kind: 'summary-pdf', blocks: [{ kind: 'paragraph', text: 'LAA-950: 12 %' }] }),
    )
    expect([textOf(d, 'MIMETypeOfEncapsulatedDocument'), textOf(d, 'DocumentTitle')]).toEqual([
      'application/pdf',
      'CT lung density',
    ])
    const text = textOfPDF(summaryPDF(input, { blocks: [{ kind: 'paragraph', text: 'LAA-950: 12 %' }] }))
    for (const words of ['Müller Jörg', 'ct-lung-density 1.0.0, Hilum', 'AI result, not verified.', 'LAA-950: 12 %'])
      expect(text).toContain(words)
  })

  it('does not transliterate a name, and breaks long tables over pages', () => {
    const input = syntheticInput({ header: { PatientName: 'Yamada^Tarou=山田^太郎' } })
    const japanese = syntheticInput({ header: { PatientName: '山田^太郎' } })
    const rows = Array.from({ length: 120 }, (_, i) => [`row ${i}`, String(i)])
    const pdf = summaryPDF(input, { blocks: [{ kind: 'table', header: false, widths: [1, 1], rows }] })
    expect(pdf.toString('latin1').match(/\/Type \/Page /g)?.length).toBeGreaterThan(2)
    expect(textOfPDF(pdf)).toContain('row 119')
    expect(textOfPDF(summaryPDF(japanese, { blocks: [] }))).toContain('(in letters that this page cannot show')
  })
})

describe('the results of a demonstrator', () => {
  it('say that they are not for clinical use', () => {
    const plain = syntheticInput()
    const input = { ...plain, algorithm: { ...plain.algorithm, demonstrator: true } }
    expect(textOfPDF(summaryPDF(input, { blocks: [] }))).toContain('demonstrator, not for clinical use')
  })
})
