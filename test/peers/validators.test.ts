import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SOP } from '../../src/dicom/sop-class.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { lungResults } from '../encode/lung-results.ts'
import { bytesOf } from '../encode/synthetic.ts'
import { sharedData } from '../support/data.ts'
import { acceptanceTool, available } from '../support/programs.ts'
import { countVoxels, validate } from '../support/results.ts'
import { realInput, type SourceOptions, writeSourceInstances } from '../support/source-instances.ts'

interface Case extends SourceOptions {
  /** The reports have the same structure as those of another case. */
  sameReports?: boolean
}

const ready = available('/usr/bin/python3', 'dciodvfy', 'java', acceptanceTool('validate.py'), acceptanceTool('seg.py'))

describe.skipIf(!ready)('the outside validators', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'hilum-validators-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Source files, results encoded and written. */
  async function encoded(name: string, options: Case) {
    const source = path.join(root, name, 'source')
    const results = path.join(root, name, 'results')
    for (const folder of [source, results]) mkdirSync(folder, { recursive: true })
    const input = await writeSourceInstances(source, options)
    writeResults(input, results)
    return { source, results, input }
  }

  const cases: [string, Case][] = [
    ['an axial series', {}],
    ['a single slice', { slices: 1 }],
    ['odd rows and columns', { rows: 37, columns: 51, sameReports: true }],
    ['an oblique orientation', { orientation: [0.8, 0.6, 0, 0, 0, -1], sameReports: true }],
    [
      'a name in Latin letters with accents',
      {
        sameReports: true,
        charset: 'ISO_IR 100',
        values: { PatientName: 'Müller^Jörg', StudyDescription: 'Thorax für Ärzte' },
      },
    ],
    [
      'a Japanese name in three groups',
      { charset: '\\ISO 2022 IR 87', values: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } },
    ],
    ['an enhanced multi-frame source', { multiFrame: true }],
    [
      'lossily compressed source images',
      { sameReports: true, values: { LossyImageCompression: '01', LossyImageCompressionRatio: '9.5' } },
    ],
    [
      'a study that codes its procedure',
      {
        sameReports: true,
        values: {
          ProcedureCodeSequence: [{ CodeValue: 'CTTH', CodingSchemeDesignator: '99LOCAL', CodeMeaning: 'CT thorax' }],
        },
      },
    ],
    ['a source without frame of reference', { values: { FrameOfReferenceUID: null }, sameReports: true }],
    ['a segment that is empty in every slice', { emptySegment: true }],
    [
      'a repeated run that supersedes another',
      {
        revision: 2,
        predecessors: ['segmentation', 'measurements', 'planar', 'summary'].map((role, i) => ({
          role,
          sopClassUID: role === 'segmentation' ? SOP.segmentation : SOP.comprehensive3DSR,
          sopInstanceUID: `1.2.3.${i + 1}`,
          seriesInstanceUID: `1.2.4.${i + 1}`,
        })),
      },
    ],
  ]

  it.each(cases)('find nothing to fault in the results of %s', async (name, options) => {
    const { source, results, input } = await encoded(name.replaceAll(' ', '-'), options)
    const verdict = validate(source, results, { templates: !options.sameReports })
    expect(verdict.output).toMatch(/^4 objects \(SEG, SR\), 0 failures\s*$/)
    const counts = countVoxels(path.join(results, 'segmentation.dcm'))
    expect(counts).toEqual(
      Object.fromEntries(
        input.segments.map((s) => [String(s.number), { label: s.definition.label, voxels: voxelsOf(input, s.number) }]),
      ),
    )
  })

  const nlst = sharedData('ct-chest-nlst')
  describe.skipIf(!available(nlst))('on the headers of a real chest CT', () => {
    let folder = ''
    let input: EncodingInput
    beforeAll(async () => {
      folder = path.join(nlst ?? '', readdirSync(nlst ?? '').find((f) => f.startsWith('CT_')) ?? '')
      input = await realInput(folder)
    })

    it('find nothing to fault, and the other reader counts the voxels that the masks have', () => {
      const results = path.join(root, 'nlst')
      mkdirSync(results)
      writeResults(input, results)
      expect(validate(folder, results).output).toMatch(/^4 objects \(SEG, SR\), 0 failures\s*$/)
      expect(countVoxels(path.join(results, 'segmentation.dcm'))['1']?.voxels).toBe(voxelsOf(input, 1))
    })
  })
})

function writeResults(input: EncodingInput, folder: string): void {
  for (const object of lungResults(input)) writeFileSync(path.join(folder, `${object.role}.dcm`), bytesOf(object))
}

function voxelsOf({ segments, source }: EncodingInput, number: number): number {
  const segment = segments.find((s) => s.number === number)
  let voxels = 0
  for (let i = 0; i < source.slices.length; i++) voxels += segment?.maskOf(i)?.reduce((sum, v) => sum + v, 0) ?? 0
  return voxels
}
