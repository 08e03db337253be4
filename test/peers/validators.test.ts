import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { encodeResults } from '../../src/encode/results.ts'
import { bytesOf, type SyntheticOptions, syntheticInput } from '../encode/synthetic.ts'
import { sharedData } from '../support/data.ts'
import { acceptanceTool, available, runProgram } from '../support/programs.ts'
import { countVoxels, validate } from '../support/results.ts'

interface Case extends SyntheticOptions {
  /** Specific Character Set of the source. */
  charset?: string
  /** What the source's header has besides or instead; null leaves an attribute out. */
  values?: Record<string, unknown>
  /** The reports have the same structure as those of another case. */
  sameReports?: boolean
}

/** Writes source images with a writer that shares no code with the node; argument: a JSON file. */
const writeSource = `
import json, sys, numpy, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
spec = json.load(open(sys.argv[1]))
def fill(ds, values):
    for k, v in values.items():
        setattr(ds, k, Sequence([fill(Dataset(), i) for i in v]) if isinstance(v, list) and v and isinstance(v[0], dict) else v)
    return ds
for i, s in enumerate(spec['instances']):
    ds = fill(Dataset(), {**spec['header'], **s['values']})
    ds.SpecificCharacterSet = spec['charset']
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PixelData = numpy.zeros(ds.Rows * ds.Columns * int(getattr(ds, 'NumberOfFrames', 1)), numpy.int16).tobytes()
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.save_as('%s/%04d.dcm' % (sys.argv[2], i), write_like_original=False)
`

const ready = available('/usr/bin/python3', 'dciodvfy', 'java', acceptanceTool('validate.py'), acceptanceTool('seg.py'))

describe.skipIf(!ready)('the outside validators', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'hilum-validators-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Source files, their headers read back by the node's own reader, results encoded and written. */
  async function encoded(name: string, options: Case) {
    const source = path.join(root, name, 'source')
    const results = path.join(root, name, 'results')
    for (const folder of [source, results]) mkdirSync(folder, { recursive: true })
    const input = syntheticInput(options)
    const spec = path.join(root, name, 'spec.json')
    writeFileSync(spec, JSON.stringify({ charset: options.charset ?? 'ISO_IR 100', ...sourceOf(input, options) }))
    const written = runProgram('python3', ['-c', writeSource, spec, source])
    if (written.code !== 0) throw new Error(written.output)
    const [first = ''] = readdirSync(source).sort()
    const header = (await readInstanceFile(path.join(source, first))).elements
    writeResults({ ...input, source: { ...input.source, header } }, results)
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
    const verdict = options.sameReports ? validateQuickly(source, results) : validate(source, results)
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

/** Without the validator of report templates, which takes seconds for each report. */
function validateQuickly(source: string, results: string) {
  return runProgram('python3', [
    acceptanceTool('validate.py'),
    '--source',
    source,
    '--results',
    results,
    '--no-pixelmed',
  ])
}

function writeResults(input: EncodingInput, folder: string): void {
  for (const object of encodeResults(input)) writeFileSync(path.join(folder, `${object.role}.dcm`), bytesOf(object))
}

function voxelsOf({ segments, source }: EncodingInput, number: number): number {
  const segment = segments.find((s) => s.number === number)
  let voxels = 0
  for (let i = 0; i < source.slices.length; i++) voxels += segment?.maskOf(i)?.reduce((sum, v) => sum + v, 0) ?? 0
  return voxels
}

/** The instances that a synthetic input speaks of, for the writer above. */
function sourceOf({ source, studyInstanceUID }: EncodingInput, options: { values?: Record<string, unknown> }) {
  const header: Record<string, unknown> = {
    PatientName: 'Test^Patient',
    PatientID: 'P-1',
    IssuerOfPatientID: 'HOSPITAL',
    PatientBirthDate: '19500101',
    PatientSex: 'O',
    StudyDate: '20250102',
    StudyTime: '101112',
    AccessionNumber: 'A123',
    ReferringPhysicianName: 'Refer^Red',
    StudyID: '77',
    StudyDescription: 'CT THORAX',
    Modality: 'CT',
    BodyPartExamined: 'CHEST',
    SliceThickness: '2.5',
    FrameOfReferenceUID: '1.2.3.4.5',
    PositionReferenceIndicator: 'SN',
    StudyInstanceUID: studyInstanceUID,
    SeriesInstanceUID: source.seriesInstanceUID,
    Rows: source.rows,
    Columns: source.columns,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    ...options.values,
  }
  for (const [keyword, value] of Object.entries(header)) if (value === null) delete header[keyword]
  const instances = new Map<string, Record<string, unknown>>()
  for (const slice of source.slices) {
    const values: Record<string, unknown> = { SOPClassUID: slice.sopClassUID, SOPInstanceUID: slice.sopInstanceUID }
    if (slice.frame === null)
      Object.assign(values, {
        ImagePositionPatient: slice.imagePositionPatient,
        ImageOrientationPatient: source.imageOrientationPatient,
        PixelSpacing: source.pixelSpacing,
      })
    else values.NumberOfFrames = source.slices.length
    instances.set(slice.sopInstanceUID, { values })
  }
  return { header, instances: [...instances.values()] }
}

/** The synthetic lungs on the grid of a real series. */
async function realInput(folder: string): Promise<EncodingInput> {
  const files = await Promise.all(readdirSync(folder).map((name) => readInstanceFile(path.join(folder, name))))
  const value = (d: (typeof files)[number], tag: string) => (d.elements[tag]?.Value ?? []) as (string | number)[]
  const sorted = files.sort((a, b) => Number(value(a, '00200032')[2]) - Number(value(b, '00200032')[2]))
  const [first] = sorted
  if (!first) throw new Error('the series has no instances')
  const text = (d: (typeof files)[number], tag: string) => String(value(d, tag)[0] ?? '')
  const synthetic = syntheticInput({ study: text(first, '0020000D'), rows: 512, columns: 512, slices: sorted.length })
  return {
    ...synthetic,
    source: {
      ...synthetic.source,
      seriesInstanceUID: text(first, '0020000E'),
      header: first.elements,
      pixelSpacing: value(first, '00280030').map(Number),
      slices: sorted.map((d) => ({
        sopClassUID: text(d, '00080016'),
        sopInstanceUID: text(d, '00080018'),
        frame: null,
        imagePositionPatient: value(d, '00200032').map(Number),
      })),
    },
  }
}
