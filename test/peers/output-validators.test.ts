import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { furtherObjects } from '../encode/further-objects.ts'
import { bytesOf } from '../encode/synthetic.ts'
import { sharedData } from '../support/data.ts'
import { acceptanceTool, available } from '../support/programs.ts'
import { countVoxels, validate } from '../support/results.ts'
import { smallFile } from '../support/small-instance.ts'
import { realInput, type SourceOptions, writeSourceInstances } from '../support/source-instances.ts'

interface Case {
  source: SourceOptions
  demonstrator?: boolean
  /** With the validator of report templates, which takes seconds for each report. */
  templates?: boolean
  /** Objects that are made: of each image a derived one, and the others. */
  objects: number
  modalities: string
}

const radiograph = {
  Modality: 'DX',
  StudyDescription: 'THORAX AP',
  FrameOfReferenceUID: null,
  PositionReferenceIndicator: null,
  SliceThickness: null,
  ImageLaterality: 'U',
  PatientOrientation: ['L', 'F'],
}

const volume = 'CT, DOC, KO, OT, PR, RTSTRUCT, SEG, SR'

const cases: [string, Case][] = [
  ['an axial series', { source: {}, objects: 39, modalities: volume }],
  [
    'a radiograph, by a demonstrator',
    {
      source: { projection: true, rows: 75, columns: 61, values: radiograph },
      demonstrator: true,
      templates: true,
      objects: 14,
      modalities: 'DOC, DX, KO, OT, PR, SEG, SR',
    },
  ],
  ['an enhanced multi-frame source', { source: { multiFrame: true, slices: 5 }, objects: 20, modalities: volume }],
  [
    'odd rows and columns in an oblique orientation',
    {
      source: { rows: 37, columns: 51, slices: 3, orientation: [0.8, 0.6, 0, 0, 0, -1] },
      objects: 18,
      modalities: volume,
    },
  ],
]

const ready = available('/usr/bin/python3', 'dciodvfy', 'java', acceptanceTool('validate.py'), acceptanceTool('seg.py'))

describe.skipIf(!ready)('the outside validators', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'hilum-outputs-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it.each(cases)(
    'find nothing to fault in any kind of output of %s',
    async (name, options) => {
      const source = path.join(root, name, 'source')
      const results = path.join(root, name, 'results')
      for (const folder of [source, results]) mkdirSync(folder, { recursive: true })
      const { algorithm, ...rest } = await writeSourceInstances(source, options.source)
      const input = { ...rest, algorithm: { ...algorithm, demonstrator: options.demonstrator === true } }
      // The earlier study that a change is measured against.
      writeFileSync(path.join(source, 'prior.dcm'), smallFile({ study: 100, series: 1, instance: 102 }))
      writeOutputs(input, results)
      expect(validate(source, results, { templates: options.templates === true }).output.trim()).toBe(
        `${options.objects} objects (${options.modalities}), 0 failures`,
      )
      expectVoxels(input, results)
      // The validator of report templates takes seconds on an idle machine, and minutes on a busy one.
    },
    600_000,
  )

  const prostate = sharedData('mr-prostate-prostatex0207')
  const series = prostate && readdirSync(prostate).find((name) => name.startsWith('MR_t2-tse-tra'))
  it.skipIf(!available(prostate))('nor on the headers of a real MR', async () => {
    const folder = path.join(prostate ?? '', series ?? '')
    const input = await realInput(folder)
    const results = path.join(root, 'mr')
    const prior = path.join(root, 'prior')
    for (const made of [results, prior]) mkdirSync(made)
    writeFileSync(path.join(prior, 'prior.dcm'), smallFile({ study: 100, series: 1, instance: 102 }))
    writeOutputs(input, results)
    const verdict = validate([folder, prior], results, { templates: false })
    expect(verdict.output.trim()).toBe(
      `${input.source.slices.length + 15} objects (DOC, KO, MR, OT, PR, RTSTRUCT, SEG, SR), 0 failures`,
    )
    expectVoxels(input, results)
  })
})

function writeOutputs(input: EncodingInput, folder: string): void {
  for (const object of furtherObjects(input)) writeFileSync(path.join(folder, `${object.role}.dcm`), bytesOf(object))
}

/** The other reader finds the voxels of the masks in every format that has whole ones. */
function expectVoxels({ segments, source }: EncodingInput, results: string): void {
  const expected = Object.fromEntries(
    segments.map(({ number, definition, maskOf }) => [
      String(number),
      {
        label: definition.label,
        voxels: source.slices.reduce((sum, _, z) => sum + (maskOf(z)?.reduce((a, v) => a + v, 0) ?? 0), 0),
      },
    ]),
  )
  for (const role of ['segmentation', 'label-map', 'label-map-native'])
    expect(countVoxels(path.join(results, `${role}.dcm`))).toEqual(expected)
}
