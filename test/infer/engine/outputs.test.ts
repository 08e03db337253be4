import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../../src/dicom/instance-file.ts'
import type { InferOutcome, InferTask } from '../../../src/infer/task.ts'
import { code, cube, graphs, run, writePipeline, writeSeries } from './cube.ts'

type Done = Extract<InferOutcome, { kind: 'done' }> & { outFolder: string }
const done = (outcome: InferOutcome & { outFolder: string }): Done => {
  if (outcome.kind !== 'done') throw new Error(`${outcome.kind}: ${outcome.reason}`)
  return outcome
}

/** An identity model on a grid of its own: what it gives has to come back to the source. */
const manifest = (axes: string, outputs: string): string => `
inputs:
  - { name: mr, kind: volume, modality: MR }
prepare:
  turned: { from: mr, steps: [reorient: { axes: ${axes} }, scale-range] }
infer:
  - name: same
    model: { file: model.onnx, sha256: SHA }
    inputs: { input: { from: turned, layout: NCDHW } }
    outputs: { output: bright }
finish:
  mask: { from: bright, steps: [threshold: { minimum: 0.5 }] }
segments:
  - { id: cube, from: mask, value: 1, label: Cube, category: ${code}, type: ${code}, colour: [255, 0, 0] }
  - { id: certainty, from: bright, value: 0, label: Cube, category: ${code}, type: ${code}, colour: [255, 0, 0] }
measure:
  - { id: volume, name: Volume, quantity: volume, segment: cube, code: ${code}, unit: { value: mL, scheme: UCUM, meaning: mL } }
  - { id: mean, name: Mean, quantity: mean, of: mr, segment: cube, code: ${code}, unit: { value: '1', scheme: UCUM, meaning: no units } }
outputs:
${outputs}
`
const everything = `
  - { kind: segmentation, segments: [cube] }
  - { kind: segmentation, id: map, format: labelmap, segments: [cube] }
  - { kind: segmentation, id: certain, format: fractional, segments: [certainty] }
  - { kind: measurement-report }
  - { kind: planar-report, segments: [cube] }
  - { kind: parametric-map, from: bright, quantity: ${code}, unit: { value: '1', scheme: UCUM, meaning: no units }, derivation: ${code} }
  - { kind: derived-images, from: bright, description: bright, derivations: [${code}], rescale: { slope: 0.001, intercept: 0 } }
  - { kind: colour-capture, title: overlay, segments: [cube], slices: best, heatMap: { from: bright, name: Bright, range: [0, 1] } }
  - { kind: presentation-state, segments: [cube] }
  - { kind: summary-pdf, text: [A page.], picture: { segments: [cube], slices: best } }
  - { kind: key-images, description: where the cube is, segments: [cube] }
  - { kind: structure-set, segments: [cube] }
  - { kind: nifti, from: bright, id: own-grid, grid: own }
  - { kind: nifti, from: mask, id: labels }
  - { kind: json }
`

describe('the outputs of a pipeline', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-outputs-'))
  let series: InferTask['inputs'][string]
  let all: Done
  beforeAll(async () => {
    series = writeSeries(folder)
    all = done(await run(folder, await writePipeline(folder, manifest('RAS', everything)), { mr: series }))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are written, each under its name', () => {
    expect(all.results.map(({ role }) => role.replace(/-\d{4}$/, ''))).toEqual([
      'segmentation',
      'label-map-map',
      'probability-certain',
      'measurements',
      'planar',
      'parametric-map',
      ...Array.from({ length: 16 }, () => 'derived'),
      'capture-colour-capture',
      'presentation',
      'document',
      'key-images',
      'structure-set',
    ])
    expect(all.files.map(({ output, mediaType }) => [output, mediaType])).toEqual([
      ['own-grid', 'application/gzip'],
      ['labels', 'application/gzip'],
      ['json', 'application/json'],
    ])
    const written = [...all.results, ...all.files].map(({ file }) => file).sort()
    expect(readdirSync(all.outFolder).sort()).toEqual(written)
  })

  it('speak of the source, and say what they are of', async () => {
    for (const { file } of all.results) {
      const { elements } = await readInstanceFile(path.join(all.outFolder, file))
      expect(textOf(elements, 'StudyInstanceUID')).toBe('2.25.100.1')
      expect(textOf(elements, 'PatientID')).toBe('P1')
    }
    expect(all.results.find(({ role }) => role === 'label-map-map')?.output).toBe('map')
  })

  it('hold what was measured, on the grid of the source', () => {
    const side = cube.to - cube.from
    expect(all.findings).toMatchObject([
      { name: 'Volume', value: expect.closeTo((side ** 3 * 12) / 1000, 9), unit: 'mL' },
      { name: 'Mean', value: 1000 },
    ])
    const json = all.files.find(({ output }) => output === 'json')
    expect(JSON.parse(readFileSync(path.join(all.outFolder, json?.file ?? ''), 'utf8'))).toMatchObject({
      segments: [{ id: 'cube', number: 1 }],
      measurements: [{ id: 'volume' }, { id: 'mean' }],
    })
  })

  it('are the same, byte for byte, when the task is run again', async () => {
    const again = done(await run(folder, await writePipeline(folder, manifest('RAS', everything)), { mr: series }))
    expect(again.results.map(({ sha256 }) => sha256)).toEqual(all.results.map(({ sha256 }) => sha256))
    expect(again.files.map(({ sha256 }) => sha256)).toEqual(all.files.map(({ sha256 }) => sha256))
  })

  it('have the same masks, whichever way the model wants its axes', async () => {
    const json = '  - { kind: nifti, from: mask }\n'
    const written = async (axes: string): Promise<string> => {
      const outcome = done(await run(folder, await writePipeline(folder, manifest(axes, json)), { mr: series }))
      // Compressed bytes hold a digest of the pipeline's name and version, which are the same.
      return outcome.files[0]?.sha256 ?? ''
    }
    const [lps, ras, asl] = [await written('LPS'), await written('RAS'), await written('ASL')]
    expect(ras).toBe(lps)
    expect(asl).toBe(lps)
  })

  it('are only those that the task asks for, and what they need', async () => {
    const pipeline = await writePipeline(folder, manifest('RAS', everything))
    const some = done(await run(folder, pipeline, { mr: series }, { outputs: ['map', 'measurement-report'] }))
    expect(some.results.map(({ role }) => role)).toEqual(['label-map-map', 'measurements'])
    expect(some.files).toEqual([])
  })
})

describe('findings and classifications', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-findings-'))
  let series: InferTask['inputs'][string]
  beforeAll(() => {
    series = writeSeries(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const classifier = (classes: string): string => `
inputs:
  - { name: mr, kind: volume, modality: MR }
prepare:
  scaled: { from: mr, steps: [scale-range] }
infer:
  - name: mean
    model: { file: model.onnx, sha256: SHA }
    inputs: { input: { from: scaled, layout: NCDHW } }
    outputs: { output: { value: scores, kind: numbers, layout: NCDHW } }
outputs:
  - kind: classification-report
    from: scores
    classes: [${classes}]
`
  const opacity = (threshold: number): string =>
    `{ id: bright, label: Bright, type: ${code}, threshold: ${threshold}, evaluation: { name: ${code}, present: ${code}, absent: ${code} } }`

  it('are reported with the probability that the model gave', async () => {
    const pipeline = await writePipeline(folder, classifier(opacity(0.02)), graphs.mean)
    const outcome = done(await run(folder, pipeline, { mr: series }))
    const part = (cube.to - cube.from) ** 3 / 16 ** 3
    expect(outcome.findings).toMatchObject([{ name: 'Bright', value: expect.closeTo(part * 100, 4), unit: '%' }])
    expect(outcome.results.map(({ role }) => role)).toEqual(['classification'])
  })

  it('fail with the cause where numbers and classes do not agree', async () => {
    const pipeline = await writePipeline(
      folder,
      classifier(`${opacity(0.5)}, { id: b, label: B, type: ${code} }`),
      graphs.mean,
    )
    expect(await run(folder, pipeline, { mr: series })).toMatchObject({
      kind: 'failed',
      code: 'wrong-value',
      reason: 'there are 1 numbers, 2 classes are declared',
      retry: 'permanent',
    })
  })
})
