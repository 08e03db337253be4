import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ValueStore } from '../../../src/infer/engine/value-store.ts'
import type { Pipeline } from '../../../src/infer/load-pipelines.ts'
import { runPipeline } from '../../../src/infer/run-pipeline.ts'
import type { InferOutcome, InferTask } from '../../../src/infer/task.ts'
import type { Value } from '../../../src/infer/value.ts'
import { code, cube, graphs, run, writePipeline, writeSeries } from './cube.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-flow-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const unit = (value: string): string => `{ value: '${value}', scheme: UCUM, meaning: unit }`
const segment = (id: string, from: string): string =>
  `{ id: ${id}, from: ${from}, value: 1, label: ${id}, category: ${code}, type: ${code}, colour: [255, 0, 0] }`
const inferSame = (from: string, to: string): string => `
  - name: ${to}
    model: { file: model.onnx, sha256: SHA }
    inputs: { input: { from: ${from}, layout: NCDHW } }
    outputs: { output: ${to} }`
const valuesOf = async (pipeline: Pipeline, inputs: InferTask['inputs']): Promise<Record<string, number>> => {
  const found = await runPipeline({ inputs, providers: ['cpu'], threads: 1 }, pipeline)
  if (found.kind === 'refused') throw new Error(found.reason)
  return Object.fromEntries(found.measurements.map(({ id, value }) => [id, value]))
}
const voxels = (cube.to - cube.from) ** 3

describe('several inputs', () => {
  const modal = (align: string): string => `
inputs:
  - { name: t1, kind: volume, modality: MR }
  - { name: t2, kind: volume, modality: MR }
prepare:
  both: { from: [t1, t2], align: ${align}, steps: [select-channels: { channels: [1] }] }
infer:${inferSame('both', 'second')}
finish:
  mask: { from: second, steps: [threshold: { minimum: 1500 }] }
segments: [${segment('cube', 'mask')}]
measure:
  - { id: volume, name: V, quantity: volume, segment: cube, code: ${code}, unit: ${unit('mL')} }
  - { id: mean, name: M, quantity: mean, of: t2, segment: cube, code: ${code}, unit: ${unit('1')} }
outputs: [{ kind: measurement-report }]
`

  it('become channels on the grid of the first, by their positions', async () => {
    const pipeline = await writePipeline(folder, modal('frame-of-reference'))
    const t1 = writeSeries(folder)
    // One voxel further to the left: its cube covers others of the first's voxels.
    const t2 = writeSeries(folder, { series: 2, shift: 2, value: 2000 })
    const values = await valuesOf(pipeline, { t1, t2 })
    expect(values.volume).toBeCloseTo((voxels * 12) / 1000, 9)
    expect(values.mean).toBe(2000)
  })

  it('are refused where their frames of reference differ, and taken by their positions where that is said', async () => {
    const t1 = writeSeries(folder)
    const t2 = writeSeries(folder, { series: 2, value: 2000, elements: { FrameOfReferenceUID: '2.25.11' } })
    const strict = await writePipeline(folder, modal('frame-of-reference'))
    expect(await runPipeline({ inputs: { t1, t2 }, providers: ['cpu'], threads: 1 }, strict)).toMatchObject({
      kind: 'refused',
      reason: 't2 is not registered with t1: its Frame of Reference UID is 2.25.11, 2.25.10 is expected',
    })
    const shifted = writeSeries(folder, { series: 3, shift: 2 })
    const exact = await writePipeline(folder, modal('same-grid'))
    expect(await runPipeline({ inputs: { t1, t2: shifted }, providers: ['cpu'], threads: 1 }, exact)).toMatchObject({
      kind: 'refused',
      reason: 't2 does not lie on the grid of t1: the same slices and pixels are expected',
    })
  })

  it('that are missing fail the task, unless the pipeline can do without', async () => {
    const body = (required: boolean): string => `
inputs:
  - { name: t1, kind: volume, modality: MR }
  - { name: t2, kind: volume, modality: MR, required: ${required} }
finish: {}
prepare:
  one: { from: t1 }
  two: { from: t2 }
outputs: [{ kind: nifti, from: one, id: one }, { kind: nifti, from: two, id: two }]
`
    const t1 = writeSeries(folder)
    expect(await run(folder, await writePipeline(folder, body(true)), { t1 })).toMatchObject({
      kind: 'failed',
      code: 'unreadable-input',
      reason: 'the task has no input t2',
    })
    const outcome = await run(folder, await writePipeline(folder, body(false)), { t1 })
    expect(outcome).toMatchObject({ kind: 'done', files: [{ output: 'one' }] })
    expect(outcome.log).toContain('output two: left out, there is no two')
  })
})

describe('an earlier study', () => {
  const body = (required: boolean): string => `
inputs:
  - { name: now, kind: volume, modality: MR }
  - { name: before, kind: volume, modality: MR, from: prior, required: ${required} }
finish:
  mask: { from: now, steps: [threshold: { minimum: 500 }] }
  earlier: { from: before, steps: [threshold: { minimum: 500 }] }
segments: [${segment('lesion', 'mask')}, ${segment('lesion-before', 'earlier')}]
measure:
  - { id: mean, name: M, quantity: mean, of: now, segment: lesion, code: ${code}, unit: ${unit('1')} }
  - { id: mean-before, name: M, quantity: mean, of: before, segment: lesion-before, code: ${code}, unit: ${unit('1')} }
  - { id: change, name: Change, quantity: relative-change, change: { now: mean, before: mean-before }, code: ${code}, unit: ${unit('%')} }
outputs: [{ kind: segmentation }, { kind: measurement-report }, { kind: json }]
`

  it('is compared with, and results are those of this study', async () => {
    const pipeline = await writePipeline(folder, body(true))
    const inputs = { now: writeSeries(folder), before: writeSeries(folder, { study: 2, series: 2, value: 800 }) }
    expect(await valuesOf(pipeline, inputs)).toEqual({ mean: 1000, 'mean-before': 800, change: 25 })
    const outcome = await run(folder, pipeline, inputs)
    expect(outcome).toMatchObject({ kind: 'done', results: [{ role: 'segmentation' }, { role: 'measurements' }] })
    expect(outcome.kind === 'done' && outcome.findings.map(({ name }) => name)).toEqual(['M', 'Change'])
    const found = await runPipeline({ inputs, providers: ['cpu'], threads: 1 }, pipeline)
    const output = found.kind === 'inference' ? [...found.outputs()][0] : undefined
    expect(output?.segments.map(({ id }) => id)).toEqual(['lesion'])
    expect(found.kind === 'inference' && found.measurements[2]?.comparison).toMatchObject({
      value: 800,
      prior: { studyInstanceUID: '2.25.100.2', studyDate: '20240101', images: [{ sopInstanceUID: expect.anything() }] },
    })
  })

  it('may be absent where the pipeline says so', async () => {
    const outcome = await run(folder, await writePipeline(folder, body(false)), { now: writeSeries(folder) })
    expect(outcome).toMatchObject({ kind: 'done', findings: [{ name: 'M', value: 1000 }] })
    expect(outcome.log).toContain('change: not measured, there is no value to compare with')
  })
})

describe('numbers of the header', () => {
  const body = (values: string): string => `
inputs: [{ name: mr, kind: volume, modality: MR }]
metadata:
  patient: { from: mr, values: [${values}] }
measure:
  - { id: first, name: N, quantity: { number: { index: 0 } }, of: patient, code: ${code}, unit: ${unit('1')} }
  - { id: second, name: N, quantity: { number: { index: 1 } }, of: patient, code: ${code}, unit: ${unit('1')} }
outputs: [{ kind: json }]
`

  it.each([
    ['PatientAge, { attribute: PatientSex, codes: { M: 1, F: 0 } }', {}, [40, 0]],
    ['{ attribute: PatientAge, subtract: 20, divide: 10 }, { attribute: PatientWeight, otherwise: 70 }', {}, [2, 70]],
    ['PatientAge, { attribute: PatientSex, codes: { M: 1 }, otherwise: 0.5 }', { PatientAge: '018M' }, [1.5, 0.5]],
    // Without an age, from birth to the study.
    [
      'PatientAge, PatientWeight',
      { PatientAge: undefined, PatientBirthDate: '19840701', PatientWeight: '81.5' },
      [40, 81.5],
    ],
  ] as const)('are a vector: %s', async (values, elements, expected) => {
    const mr = writeSeries(folder, { elements })
    const found = await valuesOf(await writePipeline(folder, body(values)), { mr })
    expect(found.first).toBeCloseTo(expected[0], 2)
    expect(found.second).toBe(expected[1])
  })

  it.each([
    ['PatientAge, PatientWeight', 'PatientWeight is absent: the pipeline needs it'],
    [
      'PatientAge, { attribute: PatientSex, codes: { M: 1 } }',
      'PatientSex is none of the values that are known: the pipeline needs it',
    ],
    [
      '{ attribute: PatientAge, range: { minimum: 60 } }, PatientAge',
      'PatientAge is below 60, at least that is expected',
    ],
  ])('are refused without telling who it is: %s', async (values, reason) => {
    const outcome = await run(folder, await writePipeline(folder, body(values)), { mr: writeSeries(folder) })
    expect(outcome).toMatchObject({ kind: 'refused', reason })
  })
})

describe('a sequence', () => {
  it('is an image with a channel a volume, and its axis a vector', async () => {
    const body = `
inputs: [{ name: dynamic, kind: sequence, modality: MR, by: time }]
finish:
  mask: { from: dynamic, steps: [threshold: { classes: [{ channel: 1, label: 1, minimum: 500 }] }] }
segments: [${segment('cube', 'mask')}]
measure:
  - { id: early, name: N, quantity: { mean: { channel: 0 } }, of: dynamic, segment: cube, code: ${code}, unit: ${unit('1')} }
  - { id: late, name: N, quantity: { mean: { channel: 1 } }, of: dynamic, segment: cube, code: ${code}, unit: ${unit('1')} }
  - { id: time, name: N, quantity: { number: { index: 1 } }, of: dynamic.axis, code: ${code}, unit: ${unit('s')} }
outputs: [{ kind: segmentation }]
`
    const phase = (n: number): InferTask['inputs'][string] =>
      writeSeries(folder, { series: n, value: n * 300, elements: { AcquisitionTime: `10000${n * 2}` } })
    const dynamic = { ...phase(2), further: [phase(1)] }
    expect(await valuesOf(await writePipeline(folder, body), { dynamic })).toEqual({ early: 300, late: 600, time: 2 })
  })
})

describe('a model that misbehaves', () => {
  const body = (finish = 'threshold: { minimum: 0.5 }'): string => `
inputs: [{ name: mr, kind: volume, modality: MR }]
infer:${inferSame('mr', 'given')}
finish:
  mask: { from: given, steps: [${finish}] }
segments: [${segment('cube', 'mask')}]
outputs: [{ kind: segmentation }]
`
  const failing = async (text: string, graph?: Parameters<typeof writePipeline>[2]): Promise<InferOutcome> =>
    await run(folder, await writePipeline(folder, text, graph), { mr: writeSeries(folder) })

  it.each([
    ['gives no numbers', graphs.notANumber, body(), 'not-finite', /^infer given: .*output/],
    ['gives another shape', graphs.flattened, body(), 'wrong-shape', /^infer given: .*output/],
    [
      'has no such output',
      graphs.identity,
      body().replace('outputs: { output:', 'outputs: { logits:'),
      'wrong-shape',
      /^infer given: .*logits/,
    ],
    [
      'has no such input',
      graphs.identity,
      body().replace('inputs: { input:', 'inputs: { image:'),
      'wrong-shape',
      /^infer given: .*(image|input)/,
    ],
  ])('fails the task with the cause where it %s', async (_, graph, text, cause, reason) => {
    const outcome = await failing(text, graph)
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: cause,
      reason: expect.stringMatching(reason),
      retry: 'permanent',
    })
    // What was said before stays.
    expect(outcome.log.length).toBeGreaterThan(1)
  })

  it('leaves nothing in the folder of the results', async () => {
    const outcome = await run(folder, await writePipeline(folder, body(), graphs.notANumber), {
      mr: writeSeries(folder),
    })
    expect(readdirSync(outcome.outFolder)).toEqual([])
  })

  it('says which step cannot take what it gave', async () => {
    expect(await failing(body('lungs: { density: mr }'))).toMatchObject({
      kind: expect.stringMatching(/failed|refused/),
      reason: expect.stringMatching(/lungs/),
    })
  })
})

describe('values', () => {
  const labels = (): Value => {
    const grid = {
      size: [1, 1, 2],
      spacing: [1, 1, 1],
      origin: [0, 0, 0],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    } as const
    return { kind: 'labels', labels: { grid, labels: new Uint8Array(2) } }
  }

  it('go as soon as nothing uses them any more', () => {
    const store = new ValueStore(
      new Map([
        ['a', 2],
        ['b', 1],
        ['unused', 0],
      ]),
    )
    for (const name of ['a', 'b', 'unused']) store.put(name, { value: labels(), origin: 'mr' })
    expect(store.names).toEqual(['a', 'b'])
    store.used(['a', 'b'])
    expect(store.names).toEqual(['a'])
    store.used(['a', 'a'])
    expect(store.names).toEqual([])
    expect(() => store.get('a')).toThrow(/not declared/)
  })

  it('may be changed by who uses them last, where no other value has their memory', () => {
    const store = new ValueStore(
      new Map([
        ['a', 1],
        ['b', 2],
        ['c', 1],
      ]),
    )
    const shared = labels()
    store.put('a', { value: shared, origin: 'mr' })
    store.put('b', { value: shared, origin: 'mr' })
    store.put('c', { value: labels(), origin: 'mr' })
    expect(['a', 'b', 'c'].map((name) => store.isGivenForGood(name))).toEqual([false, false, true])
    store.used(['a'])
    store.used(['b'])
    expect(store.isGivenForGood('b')).toBe(true)
  })

  it('that another chain still needs are not changed', async () => {
    const body = `
inputs: [{ name: mr, kind: volume, modality: MR }]
prepare:
  same: { from: mr }
  scaled: { from: same, steps: [cast: { type: float32 }, scale-range] }
finish:
  mask: { from: scaled, steps: [threshold: { minimum: 0.5 }] }
segments: [${segment('cube', 'mask')}]
measure:
  - { id: mean, name: M, quantity: mean, of: same, segment: cube, code: ${code}, unit: ${unit('1')} }
  - { id: scaled, name: M, quantity: mean, of: scaled, segment: cube, code: ${code}, unit: ${unit('1')} }
outputs: [{ kind: json }]
`
    const mr = writeSeries(folder, { elements: { RescaleSlope: '0.5', RescaleIntercept: '0' } })
    expect(await valuesOf(await writePipeline(folder, body), { mr })).toEqual({ mean: 500, scaled: 1 })
  })
})
