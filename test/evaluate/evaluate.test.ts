import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesUnder } from '../../src/commands/files-under.ts'
import type { Case } from '../../src/evaluate/cases.ts'
import { parseCsv } from '../../src/evaluate/csv.ts'
import { evaluatePipeline } from '../../src/evaluate/evaluate.ts'
import type { CaseResult, Evaluation } from '../../src/evaluate/evaluation.ts'
import { worstCases } from '../../src/evaluate/worst-cases.ts'
import { writeReport } from '../../src/evaluate/write-report.ts'
import type { Grid } from '../../src/infer/image.ts'
import type { Pipeline } from '../../src/infer/manifest/pipeline.ts'
import { encodeNifti } from '../../src/infer/runtime/nifti-file.ts'
import { code, cube, run, size, writePipeline, writeSeries } from '../infer/engine/cube.ts'

/** Without a model: the cube is what is bright, and the patient's age is the probability of being old. */
const manifest = `
inputs: [{ name: mr, kind: volume, modality: MR }]
metadata:
  age: { from: mr, values: [{ attribute: PatientAge, divide: 100 }, { attribute: PatientAge, subtract: 100, divide: -100 }] }
finish:
  mask: { from: mr, steps: [threshold: { minimum: 500 }] }
  lumps: { from: mask, steps: [components-to-boxes: {}] }
segments:
  - { id: cube, from: mask, value: 1, label: Cube, category: ${code}, type: ${code}, colour: [255, 0, 0] }
measure:
  - { id: volume, name: Volume, quantity: volume, segment: cube, code: ${code}, unit: { value: mL, scheme: UCUM, meaning: mL } }
outputs:
  - { kind: segmentation, segments: [cube] }
  - { kind: planar-report, findings: { from: lumps, classes: [{ id: lump, label: Lump, type: ${code} }] } }
  - kind: classification-report
    from: age
    classes: [{ id: old, label: Old, type: ${code}, threshold: 0.6 }, { id: young, label: Young, type: ${code} }]
`

/** The series' own grid. */
const grid: Grid = { size: [size, size, size], spacing: [2, 2, 3], origin: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]] } // biome-ignore format: a matrix

/** A cube's label map as NIfTI, moved by some voxels along x. */
function niftiOf(moved: number, label: number): Buffer {
  const data = new Int16Array(size ** 3)
  const inside = (n: number): boolean => n >= cube.from && n < cube.to
  for (let i = 0; i < data.length; i++)
    if (inside((i % size) - moved) && inside(Math.floor(i / size) % size) && inside(Math.floor(i / size ** 2)))
      data[i] = label
  return Buffer.concat(encodeNifti({ type: 'int16', dims: [size, size, size], data }, { grid, layout: 'DHW' }))
}

const settings = { tolerance: 2, overlap: 0.5, bootstrap: { draws: 200, seed: 1 } }

describe('an evaluation', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-evaluate-'))
  const [data, reference] = [path.join(folder, 'data'), path.join(folder, 'reference')]
  let pipeline: Pipeline
  let evaluation: Evaluation
  let cases: Case[]
  const named = (name: string): CaseResult => {
    const found = evaluation.cases.find((one) => one.name === name)
    if (!found) throw new Error(`there is no case ${name}`)
    return found
  }
  const evaluate = (place: string, labels = {}) =>
    evaluatePipeline(pipeline, {
      data,
      reference: place,
      labels,
      settings,
      threads: 1,
      filesUnder,
      at: '2025-01-02T03:04:05Z',
    })

  beforeAll(async () => {
    pipeline = await writePipeline(folder, manifest)
    const series = (name: string, number: number, options: Parameters<typeof writeSeries>[1] = {}) => {
      const own = path.join(data, name)
      mkdirSync(own, { recursive: true })
      return writeSeries(own, { series: number, ...options })
    }
    series('same', 1, { elements: { PatientAge: '080Y' } })
    series('moved', 2, { elements: { PatientAge: '070Y' } })
    series('<i>empty', 3, { value: 0, elements: { PatientAge: '030Y' } })
    series('no age', 4, { elements: { PatientAge: undefined } })
    series('unknown', 5)
    series('table only', 6, { elements: { PatientAge: '065Y' } })
    mkdirSync(path.join(folder, 'elsewhere'))
    writeSeries(path.join(folder, 'elsewhere'), { series: 9 })
    symlinkSync(path.join(folder, 'elsewhere'), path.join(data, 'linked'))
    series('two', 7)
    series('two', 8)
    mkdirSync(path.join(reference, 'moved'), { recursive: true })
    writeFileSync(path.join(reference, 'moved', 'cube.nii'), niftiOf(1, 4))
    writeFileSync(path.join(reference, '2.25.200.3.nii.gz'), gzipSync(niftiOf(0, 1)))
    const own = path.join(data, 'same', 'series-1-1')
    const files = await filesUnder(own)
    const written = await run(
      folder,
      pipeline,
      { mr: { seriesInstanceUID: '2.25.200.1', files } },
      { outputs: ['segmentation'] },
    )
    if (written.kind !== 'done') throw new Error(written.reason)
    cpSync(path.join(written.outFolder, written.results[0]?.file ?? ''), path.join(reference, 'any name.dcm'))
    writeFileSync(
      path.join(reference, 'truth.csv'),
      `case,label,volume,hair\nsame,old,2.6,1\nmoved,Young,2.5,\n<i>empty,young,,\ntable only,old,2.592,\nno age,old,1,\nnobody,old,1,\n`,
    )
    writeFileSync(
      path.join(reference, 'boxes.csv'),
      'SeriesInstanceUID;image;left;top;right;bottom;class\n2.25.200.1;9;5;5;11;11;lump\n2.25.200.2;9;0;0;4;4;\n2.25.200.3;;;;;;\n',
    )
    const found = await evaluate(reference)
    evaluation = found.evaluation
    cases = found.cases
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('pairs cases with references, and says why others are not compared', () => {
    const outcomes = Object.fromEntries(evaluation.cases.map(({ name, outcome }) => [name, outcome]))
    expect(outcomes).toEqual({
      '<i>empty': 'compared',
      linked: 'no-reference',
      moved: 'compared',
      'no age': 'refused',
      same: 'compared',
      'table only': 'compared',
      two: 'failed',
      unknown: 'no-reference',
    })
    expect(named('no age').reason).toMatch(/PatientAge/)
    expect(named('two').reason).toBe('2 series, one is expected of the input mr')
    expect(evaluation.notes).toEqual([
      'in the tables, but no case of the data: nobody',
      'columns that are no class and no measurement of the pipeline: hair',
    ])
  })

  it('compares masks of a DICOM segmentation and of NIfTI files', () => {
    expect(named('same').segments[0]).toMatchObject({ dice: 1, iou: 1, hausdorff95: 0, surfaceDice: 1 })
    const [moved] = named('moved').segments
    expect(moved?.dice).toBeCloseTo(5 / 6, 12)
    expect(moved?.iou).toBeCloseTo(5 / 7, 12)
    // One voxel of 2 mm.
    expect(moved?.hausdorff95).toBeCloseTo(2, 5)
    expect(moved?.surfaceDice).toBe(1)
    expect(moved?.volume).toBeCloseTo((6 ** 3 * 2 * 2 * 3) / 1000, 12)
    expect(named('<i>empty').segments[0]).toMatchObject({ dice: 0, hausdorff95: null, surfaceDice: 0, volume: 0 })
    expect(evaluation.segments[0]).toMatchObject({ label: 'Cube', missed: 1, invented: 0, bothEmpty: 0 })
    expect(evaluation.segments[0]?.dice?.mean).toBeCloseTo((1 + 5 / 6) / 3, 12)
  })

  it('compares classes, and one class of several', () => {
    const [old] = evaluation.classes
    expect(old).toMatchObject({ id: 'old', threshold: 0.6, cases: 4, positives: 2 })
    // Old: 0.8 and 0.65 are, 0.7 and 0.3 are not.
    expect(old?.roc?.auc).toBe(0.75)
    expect(old?.decisions).toMatchObject({ truePositives: 2, falsePositives: 1, trueNegatives: 1, falseNegatives: 0 })
    expect(old?.calibration?.brier).toBeCloseTo((0.2 ** 2 + 0.35 ** 2 + 0.7 ** 2 + 0.3 ** 2) / 4, 12)
    expect(evaluation.confusion).toEqual({ classes: ['old', 'young'], matrix: [[2, 0], [1, 1]] }) // biome-ignore format: a matrix
  })

  it('compares numbers', () => {
    const [volume] = evaluation.numbers
    expect(volume).toMatchObject({ id: 'volume', unit: 'mL' })
    expect(volume?.agreement?.count).toBe(3)
    expect(volume?.agreement?.bias).toBeCloseTo((-0.008 + 0.092 + 0) / 3, 10)
  })

  it('compares boxes, image by image', () => {
    expect(named('same').detection).toEqual({ lesions: 1, findings: [{ score: 1, hits: [0] }] })
    expect(named('moved').detection).toEqual({ lesions: 1, findings: [{ score: 1, hits: [] }] })
    expect(named('<i>empty').detection).toEqual({ lesions: 0, findings: [] })
    expect(evaluation.detection).toMatchObject({ cases: 3, lesions: 2, falsePositivesPerCase: 1 / 3 })
  })

  it('is a page without scripts, with everything escaped, and pictures of the worst', async () => {
    const worst = await worstCases(evaluation.cases, { cases, pipeline, most: 2, threads: 1 })
    expect(worst.map(({ result }) => result.name)).toEqual(['<i>empty', 'moved'])
    const out = path.join(folder, 'report')
    const files = await writeReport(out, evaluation, worst)
    expect(files.map((file) => path.basename(file))).toEqual(['report.html', 'evaluation.json', 'cases.csv'])
    const page = readFileSync(path.join(out, 'report.html'), 'utf8')
    expect(page).not.toMatch(/<script|<i>empty|https?:|\bon\w+=/)
    expect(page).toContain('&lt;i&gt;empty')
    expect(page).toContain('Not a clinical validation')
    expect(page).toContain(pipeline.digest)
    expect(page.match(/data:image\/png;base64,iVBORw0KGgo/g)).toHaveLength(2)
    const rows = parseCsv(readFileSync(path.join(out, 'cases.csv'), 'utf8'))
    expect(rows).toContainEqual(['moved', '2.25.200.2', 'compared', '', 'old', 'score', '0.7'])
    const json = JSON.parse(readFileSync(path.join(out, 'evaluation.json'), 'utf8')) as Evaluation
    expect(json.segments).toEqual(evaluation.segments)
  })

  it('takes other values of a label map for a segment', async () => {
    const place = path.join(folder, 'labels')
    mkdirSync(place)
    writeFileSync(path.join(place, 'same.nii'), niftiOf(0, 7))
    const dices = async (labels: Record<string, number[]>) =>
      (await evaluate(place, labels)).evaluation.cases.find(({ name }) => name === 'same')?.segments[0]?.dice
    expect(await dices({})).toBe(0)
    expect(await dices({ cube: [3, 7] })).toBe(1)
  })

  it('says so when nothing can be compared, and where a table is wrong', async () => {
    const place = (name: string, text: string): string => {
      const file = path.join(folder, name)
      writeFileSync(file, text)
      return file
    }
    await expect(evaluate(place('none.csv', 'case,old\nsomebody,1\n'))).rejects.toThrow(/no case could be compared/)
    await expect(evaluate(place('head.csv', 'name,old\nsame,1\n'))).rejects.toThrow(
      /a column "case" or "SeriesInstanceUID"/,
    )
    await expect(evaluate(place('box.csv', 'case,left,top,right,bottom\nsame,4,4,4,8\n'))).rejects.toThrow(
      /row 2: left < right/,
    )
    await expect(evaluate(place('truth.csv', 'case,old\nsame,perhaps\n'))).rejects.toThrow(
      /same: old: "perhaps": 1 or 0/,
    )
  })
})
