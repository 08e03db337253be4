import { describe, expect, it } from 'vitest'
import { evaluateRoutes, waitingRoutes } from '../../src/route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import type { RoutableStudy } from '../../src/route/study-facts.ts'
import { ctElements, header, studyOf } from './phantom-study.ts'

function route(inputs: Record<string, unknown>, overrides: Record<string, unknown> = {}): RouteDefinition {
  const parsed = parseRouteDefinition({ name: 'r', inputs, pipeline: 'p', destinations: ['self'], ...overrides })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

function problemsOf(inputs: Record<string, unknown>, overrides: Record<string, unknown> = {}) {
  const parsed = parseRouteDefinition({ name: 'r', inputs, pipeline: 'p', destinations: ['self'], ...overrides })
  return parsed.ok ? [] : parsed.problems.map(({ path, expectation }) => `${path}: ${expectation}`)
}

function decide(definition: RouteDefinition, study: RoutableStudy, earlier?: RoutableStudy[]) {
  const [decision] = evaluateRoutes([{ version: 1, definition }], study, earlier)
  if (!decision) throw new Error('no decision')
  return decision
}

const ct = { elements: ctElements }
const ofUID = (uid: string, ...series: Parameters<typeof studyOf>[0]): RoutableStudy => ({
  ...studyOf(series, { StudyInstanceUID: uid }),
  studyInstanceUID: uid,
})

describe('an input of several series', () => {
  const dynamic = { where: 'series.Modality == "MR"', prefer: [{ lowest: 'series.SeriesNumber' }], several: true }
  const mr = (number: number) => ({ elements: { Modality: 'MR', SeriesNumber: number } })

  it('takes all that satisfy the condition, in the order of the preferences', () => {
    const decision = decide(route({ dynamic }), studyOf([mr(7), ct, mr(5), mr(6)]))
    expect(decision).toMatchObject({
      matched: true,
      series: { dynamic: '2.25.3' },
      further: { dynamic: ['2.25.4', '2.25.1'] },
      reason: 'input "dynamic": series 2.25.3 and 2 more, all that satisfy the condition',
    })
  })

  it('may be one series', () => {
    const decision = decide(route({ dynamic }), studyOf([mr(7)]))
    expect(decision.matched).toBe(true)
    expect(decision).not.toHaveProperty('further')
  })
})

describe('an input that refers to another', () => {
  const inputs = {
    images: { where: 'series.Modality == "CT"', prefer: ['thinnest-slices'] },
    masks: { where: 'series.Modality == "SEG"', of: 'images' },
  }
  const segOf = (...uids: string[]) => ({
    elements: {
      Modality: 'SEG',
      ReferencedSeriesSequence: uids.map((uid) => header({ SeriesInstanceUID: uid })),
    },
  })
  const thin = { elements: { ...ctElements, SliceThickness: 1 } }

  it('takes only a series that names the chosen one', () => {
    const decision = decide(route(inputs), studyOf([ct, thin, segOf('2.25.1'), segOf('2.25.9', '2.25.2')]))
    expect(decision.series).toEqual({ images: '2.25.2', masks: '2.25.4' })
    const none = decide(route(inputs), studyOf([ct, thin, segOf('2.25.1')]))
    expect(none).toMatchObject({
      matched: false,
      series: {},
      reason: 'input "masks": none of 1 series that satisfy the condition refers to the series of input "images"',
    })
  })

  it('takes one of the same frame of reference where references are not known', () => {
    const inFrame = (elements: Record<string, unknown>, frame: string) => ({
      elements: { ...elements, FrameOfReferenceUID: frame },
    })
    const study = studyOf([inFrame(ctElements, '1.2'), inFrame({ Modality: 'SEG' }, '1.3')])
    expect(decide(route(inputs), study).matched).toBe(false)
    const same = studyOf([inFrame(ctElements, '1.2'), inFrame({ Modality: 'SEG' }, '1.2')])
    expect(decide(route(inputs), same).series).toEqual({ images: '2.25.1', masks: '2.25.2' })
    expect(decide(route(inputs), studyOf([ct, { elements: { Modality: 'SEG' } }])).matched).toBe(false)
  })

  it('is waited for as every other', () => {
    const definition = route(inputs)
    expect(waitingRoutes([{ version: 1, definition }], studyOf([ct]))).toEqual([{ route: 'r', input: 'masks' }])
    expect(waitingRoutes([{ version: 1, definition }], studyOf([ct, segOf('2.25.1')]))).toEqual([])
  })

  it('has to name another input, of the same study, that names none itself', () => {
    const where = 'series.Modality == "SEG"'
    expect(problemsOf({ images: inputs.images, masks: { where, of: 'image' } })).toEqual([
      'inputs.masks.of: the name of another input is expected (did you mean "images"?)',
    ])
    expect(problemsOf({ masks: { where, of: 'masks' } })[0]).toContain('the name of another input is expected')
    expect(problemsOf({ ...inputs, more: { where, of: 'masks' } })).toEqual([
      'inputs.more.of: input "masks" refers to another itself',
    ])
    expect(problemsOf({ images: inputs.images, masks: { where, of: 'images', from: 'prior' } })).toEqual([
      'inputs.masks.of: input "images" is of another study',
    ])
  })
})

describe('an input of an earlier study', () => {
  const inputs = {
    now: { where: 'series.Modality == "CT"' },
    before: { where: 'series.Modality == "CT"', from: 'prior' },
  }
  const mr = { elements: { Modality: 'MR' } }

  it('takes the newest study that has a series for it', () => {
    const earlier = [ofUID('2.25.300', mr), ofUID('2.25.200', mr, ct), ofUID('2.25.199', ct)]
    const decision = decide(route(inputs), studyOf([ct]), earlier)
    expect(decision).toMatchObject({
      matched: true,
      series: { now: '2.25.1', before: '2.25.2' },
      earlier: { before: '2.25.200' },
      because: { 'inputs.now.series.Modality': 'CT', 'inputs.before.series.Modality': 'CT' },
    })
    expect(decision.reason).toContain('input "before": series 2.25.2 of the earlier study 2.25.200, the only series')
  })

  it('keeps the route from matching when there is none, unless it is optional', () => {
    expect(decide(route(inputs), studyOf([ct]), [])).toMatchObject({
      matched: false,
      reason: 'input "before": there is no earlier study of the patient',
    })
    expect(decide(route(inputs), studyOf([ct]), [ofUID('2.25.300', mr)]).reason).toBe(
      'input "before": none of 1 earlier studies of the patient has a series that satisfies series.Modality == "CT"',
    )
    const optional = { ...inputs, before: { ...inputs.before, required: false } }
    expect(decide(route(optional), studyOf([ct]), [])).toMatchObject({ matched: true, series: { now: '2.25.1' } })
  })

  it('is not asked for while the study arrives', () => {
    const decision = decide(route(inputs), studyOf([ct]))
    expect(decision.matched).toBe(true)
    expect(decision.reason).toContain('input "before": earlier studies are looked for when the study is complete')
    expect(waitingRoutes([{ version: 1, definition: route(inputs) }], studyOf([ct]))).toEqual([])
  })
})

it('outputs are chosen for destinations of the route, or for all the others', () => {
  const inputs = { now: { where: 'series.Modality == "CT"' } }
  expect(problemsOf(inputs, { outputs: { default: ['segmentation'], self: ['measurement-report'] } })).toEqual([])
  expect(problemsOf(inputs, { outputs: { sel: ['segmentation'] } })).toEqual([
    'outputs.sel: a destination of the route, or "default", is expected (did you mean "self"?)',
  ])
  expect(problemsOf(inputs, { outputs: { self: [] } })).toHaveLength(1)
})
