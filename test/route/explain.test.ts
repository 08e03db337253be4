import { describe, expect, it } from 'vitest'
import { Evaluation } from '../../src/route/evaluation.ts'
import { explain, explainRoutes } from '../../src/route/explain.ts'
import { explainCondition } from '../../src/route/explain-condition.ts'
import { compileExpression } from '../../src/route/expression.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { ctElements, studyOf } from './phantom-study.ts'

const thin = { ...ctElements, SliceThickness: 1.25, SeriesNumber: 4, SeriesDescription: 'thin' }
const scout = { ...ctElements, ImageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'], SeriesNumber: 1 }
const study = {
  ...studyOf([{ elements: scout, instances: 2 }, { elements: ctElements }, { elements: thin, instances: 300 }]),
  today: '20260101',
}

function route(more: Record<string, unknown> = {}): RouteDefinition {
  const where =
    'series.Modality == "CT" && (series.SliceThickness <= 3 || series.KVP > 1) && !("LOCALIZER" in series.ImageType)'
  const inputs = { ct: { where, prefer: ['thinnest-slices', { highest: 'series.KVP' }] } }
  const parsed = parseRouteDefinition({ name: 'lung', inputs, pipeline: 'lung', destinations: ['self'], ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

describe('the explanation of a route', () => {
  it('tells a match down to each condition and value, and by which preference its series was taken', () => {
    const { decision, when, inputs } = explain(route(), study)
    expect(decision.matched).toBe(true)
    expect(when).toBeNull()
    const [ct] = inputs
    expect(ct).toMatchObject({ name: 'ct', chosen: ['2.25.3'], omitted: 0, required: true, from: 'study' })
    expect(ct?.sentence).toBe(
      'input "ct": series 2.25.3, chosen of 2 that satisfy the condition by thinnest-slices: 1.25 mm',
    )
    expect(ct?.series.map(({ place, condition }) => [place, condition.verdict])).toEqual([
      [null, 'false'],
      [2, 'true'],
      [1, 'true'],
    ])
    expect(ct?.series[2]).toMatchObject({
      seriesNumber: 4,
      seriesDescription: 'thin',
      instances: 300,
      preferences: [
        { preference: 'thinnest-slices', value: '1.25 mm' },
        { preference: 'highest series.KVP', value: null },
      ],
    })
    const [modality, either, notScout] = ct?.series[0]?.condition.members ?? []
    expect(modality).toEqual({
      kind: 'term',
      text: 'series.Modality == "CT"',
      verdict: 'true',
      values: [{ path: 'series.Modality', value: 'CT' }],
      error: null,
      members: [],
    })
    expect(either).toMatchObject({
      kind: 'or',
      verdict: 'true',
      members: [{ verdict: 'true' }, { verdict: 'not-decided' }],
    })
    expect(either?.members[1]?.values).toEqual([{ path: 'series.KVP', value: null }])
    expect(notScout).toMatchObject({
      kind: 'not',
      verdict: 'false',
      members: [{ verdict: 'true', values: [{ value: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }] }],
    })
  })

  it('tells a miss: which part of `when` failed, and which series would have done', () => {
    const { decision, when, inputs } = explain(
      route({ when: 'study.PatientSex == "F" && study.instances > 10' }),
      study,
    )
    expect(decision.matched).toBe(false)
    expect(when).toMatchObject({
      kind: 'and',
      verdict: 'not-decided',
      members: [
        { verdict: 'not-decided', values: [{ path: 'study.PatientSex', value: null }] },
        { verdict: 'true', values: [{ path: 'study.instances', value: 402 }] },
      ],
    })
    expect(inputs[0]?.chosen).toEqual(['2.25.3'])
    const none = explain(route({ inputs: { mr: { where: 'series.Modality == "MR"' } } }), study)
    expect(none.inputs[0]).toMatchObject({
      chosen: [],
      sentence: 'input "mr": none of 3 series satisfies series.Modality == "MR" (found CT)',
    })
  })

  it('tells of inputs that refer to others, and of earlier studies as far as they were looked at', () => {
    const seg = (to: string) => ({
      elements: { Modality: 'SEG', ReferencedSeriesSequence: [{ '0020000E': { vr: 'UI', Value: [to] } }] },
    })
    const inputs = {
      ct: { where: 'series.Modality == "CT"', prefer: ['most-instances'] },
      seg: { where: 'series.Modality == "SEG"', of: 'ct' },
      before: { where: 'series.Modality == "CT"', from: 'prior', required: false },
    }
    const now = studyOf([{ elements: ctElements, instances: 9 }, seg('2.25.77'), seg('2.25.1')])
    const earlier = [
      { ...studyOf([{ elements: { Modality: 'MR' } }]), studyInstanceUID: '2.25.901' },
      { ...studyOf([{ elements: ctElements }]), studyInstanceUID: '2.25.902' },
      { ...studyOf([{ elements: ctElements }]), studyInstanceUID: '2.25.903' },
    ]
    const explained = explain(route({ inputs }), now, earlier)
    expect(explained.inputs[1]?.series.map(({ refers }) => refers)).toEqual([false, false, true])
    expect(explained.inputs[1]?.chosen).toEqual(['2.25.3'])
    expect(explained.inputs[2]?.series.map((one) => [one.studyInstanceUID, one.place])).toEqual([
      ['2.25.901', null],
      ['2.25.902', 1],
    ])
  })

  it('agrees with the evaluation for every kind of condition', () => {
    const [candidate] = new Evaluation(study).candidates
    if (!candidate) throw new Error('no series')
    for (const text of [
      'series.KVP > 1 && series.Modality == "MR"',
      'series.KVP > 1 || series.Modality == "CT"',
      '!(series.KVP > 1)',
      '!has(series.KVP) && (series.Modality == "CT" || int(series.Modality) == 1)',
      'int(series.Modality) == 1 || series.KVP > 3',
      '(series.Modality == "CT" ? series.Rows > 3 : true) || false',
      'days(series.SeriesDate, today) < 3',
    ]) {
      const { verdict } = explainCondition(text, 'series', candidate.facts)
      expect([text, verdict === 'true']).toEqual([text, compileExpression(text, 'series').test(candidate.facts).value])
    }
    expect(explainCondition('int(series.Modality) == 1', 'series', candidate.facts)).toMatchObject({
      verdict: 'error',
      error: expect.any(String),
    })
  })

  it('leaves out series beyond a hundred, never the one that was taken', () => {
    const many = studyOf(Array.from({ length: 150 }, (_, i) => ({ elements: ctElements, instances: i })))
    const [ct] = explain(
      route({ inputs: { ct: { where: 'has(series.Modality)', prefer: ['most-instances'] } } }),
      many,
    ).inputs
    expect([ct?.series.length, ct?.omitted, ct?.series[0]?.place]).toEqual([100, 50, 1])
  })

  it('is of the routes that are asked for, among all of them', () => {
    const routes = [
      { version: 3, definition: route({ stop: true }) },
      { version: 1, definition: route({ name: 'other' }) },
    ]
    const [other, ...more] = explainRoutes(routes, study, { names: new Set(['other']) })
    expect(more).toEqual([])
    expect(other).toMatchObject({ route: 'other', decision: { matched: false, because: { 'stopped by': 'lung' } } })
    expect(other?.inputs[0]?.chosen).toEqual(['2.25.3'])
  })
})
