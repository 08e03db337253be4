import { describe, expect, it } from 'vitest'
import { evaluateRoutes, waitingRoutes } from '../../src/route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { ctElements, ctImage, header, studyOf } from './phantom-study.ts'

const chestCT = `series.Modality == "CT" && series.SOPClassUID == "${ctImage}" && series.instances >= 20 && !("LOCALIZER" in series.ImageType)`

function route(overrides: Record<string, unknown> = {}): { version: number; definition: RouteDefinition } {
  const parsed = parseRouteDefinition({
    name: 'lung-density',
    inputs: { ct: { where: chestCT, prefer: ['thinnest-slices', 'most-instances'] } },
    pipeline: 'ct-lung-density',
    destinations: ['self'],
    ...overrides,
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return { version: 2, definition: parsed.definition }
}

function decide(study: ReturnType<typeof studyOf>, overrides?: Record<string, unknown>) {
  const [decision] = evaluateRoutes([route(overrides)], study)
  if (!decision) throw new Error('no decision')
  return decision
}

describe('a route', () => {
  it('matches by one series, and says which values decided', () => {
    const localizer = { ...ctElements, ImageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }
    const decision = decide(
      studyOf([
        { elements: localizer, instances: 25 },
        { elements: ctElements, instances: 143 },
      ]),
    )
    expect(decision).toEqual({
      route: 'lung-density',
      routeVersion: 2,
      matched: true,
      expression: chestCT,
      because: {
        'series.Modality': 'CT',
        'series.SOPClassUID': ctImage,
        'series.instances': 143,
        'series.ImageType': ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      },
      series: { ct: '2.25.2' },
      reason: 'input "ct": series 2.25.2, the only series that satisfies the condition',
    })
  })

  it('says what it found instead when no series fits', () => {
    const mr = { elements: { Modality: 'MR' } }
    const decision = decide(studyOf([mr, mr, mr]))
    expect(decision.matched).toBe(false)
    expect(decision.series).toEqual({})
    expect(decision.expression).toBe(chestCT)
    expect(decision.reason).toBe('input "ct": none of 3 series satisfies series.Modality == "CT" (found MR)')
    expect(decision.because).toEqual({
      'series.Modality': 'MR',
      'series.SOPClassUID': null,
      'series.instances': 100,
      'series.ImageType': null,
    })
  })

  it('counts the series by the term that each fails', () => {
    const decision = decide(
      studyOf([
        { elements: { Modality: 'PT' } },
        { elements: { Modality: 'SEG' } },
        { elements: ctElements, instances: 3 },
      ]),
    )
    expect(decision.reason).toBe(
      'input "ct": none of 3 series satisfies the condition: 2 not series.Modality == "CT" (found PT, SEG), 1 not series.instances >= 20 (found 3)',
    )
    expect(decision.because['series.Modality']).toEqual(['PT', 'SEG', 'CT'])
  })

  it('names no patient data in its sentence, though it stores the values', () => {
    const decision = decide(studyOf([{ elements: ctElements }]), {
      inputs: { ct: { where: 'series.PatientName.startsWith("Z") && series.Modality == "CT"' } },
    })
    expect(decision.reason).not.toContain('Secret')
    expect(decision.because['series.PatientName']).toBe('Somebody^Secret')
    const byStudy = decide(studyOf([{ elements: ctElements }]), { when: 'study.PatientName == "Q"' })
    expect(byStudy.reason).toBe('the study does not satisfy study.PatientName == "Q"')
    expect(byStudy.expression).toBe('study.PatientName == "Q"')
  })

  it('takes the thinnest slices, then the most instances, then the lowest UID, in whatever order they come', () => {
    const series = [
      { elements: { ...ctElements, SliceThickness: 5 }, instances: 900, uid: '2.25.1' },
      { elements: { ...ctElements, SliceThickness: 1 }, instances: 300, uid: '2.25.9' },
      { elements: { ...ctElements, SliceThickness: 1 }, instances: 400, uid: '2.25.8' },
      { elements: { ...ctElements, SliceThickness: 1 }, instances: 400, uid: '2.25.7' },
      { elements: { ...ctElements, SliceThickness: null }, instances: 999, uid: '2.25.0' },
    ]
    for (const order of [series, series.toReversed()]) expect(decide(studyOf(order)).series).toEqual({ ct: '2.25.7' })
    expect(decide(studyOf(series.slice(0, 2))).reason).toBe(
      'input "ct": series 2.25.9, chosen of 2 that satisfy the condition by thinnest-slices: 1 mm',
    )
  })

  it.each([
    ['newest', '2.25.2'],
    ['oldest', '2.25.1'],
    [{ highest: 'series.KVP' }, '2.25.3'],
    [{ lowest: 'series.KVP' }, '2.25.1'],
  ])('prefers %j', (preference, uid) => {
    const series = [
      { elements: { ...ctElements, SeriesDate: '20240101', SeriesTime: '1000', KVP: 80 } },
      { elements: { ...ctElements, SeriesDate: '20240101', SeriesTime: '1000.5' } },
      { elements: { ...ctElements, KVP: 120 } },
    ]
    const inputs = { ct: { where: chestCT, prefer: [preference] } }
    for (const order of [series.map((s, i) => ({ ...s, uid: `2.25.${i + 1}` }))]) {
      expect(decide(studyOf(order), { inputs }).series).toEqual({ ct: uid })
      expect(decide(studyOf(order.toReversed()), { inputs }).series).toEqual({ ct: uid })
    }
  })

  it('needs its required inputs, and does without the others', () => {
    const inputs = {
      ct: { where: 'series.Modality == "CT"' },
      pet: { where: 'series.Modality == "PT"', required: false },
    }
    const both = decide(studyOf([{ elements: ctElements }, { elements: { Modality: 'PT' } }]), { inputs })
    expect(both.series).toEqual({ ct: '2.25.1', pet: '2.25.2' })
    expect(both.because).toEqual({ 'inputs.ct.series.Modality': 'CT', 'inputs.pet.series.Modality': 'PT' })
    expect(both.expression).toBe('ct: series.Modality == "CT"; pet: series.Modality == "PT"')
    expect(decide(studyOf([{ elements: ctElements }]), { inputs }).series).toEqual({ ct: '2.25.1' })
    expect(decide(studyOf([{ elements: { Modality: 'PT' } }]), { inputs }).matched).toBe(false)
  })

  it('that is off, and a study without series, are explained too', () => {
    expect(decide(studyOf([{ elements: ctElements }]), { enabled: false }).reason).toBe('the route is off')
    expect(decide(studyOf([])).reason).toMatch(/the study has no series/)
  })

  it('survives headers with nonsense in them', () => {
    const elements = { Modality: 'CT', SOPClassUID: ctImage, ImageType: 'DERIVED' }
    const study = studyOf([{ elements, instances: 50 }])
    study.series[0]!.header['00180050'] = { vr: 'DS', Value: ['abc', null] }
    study.series[0]!.header['00189999'] = { vr: 'UN', InlineBinary: 'AAAA' }
    study.series[0]!.header['00081115'] = { vr: 'SQ', Value: [null] }
    study.series[0]!.header['60000050'] = { vr: 'SS', Value: [1, 1] }
    study.series[0]!.header['60020050'] = { vr: 'SS', Value: [2, 2] }
    study.header = { ...header({}), '00100010': { vr: 'PN', Value: [null] } }
    expect(decide(study).series).toEqual({ ct: '2.25.1' })
  })

  it('answers the same every time', () => {
    const study = studyOf([{ elements: ctElements }, { elements: { ...ctElements, SliceThickness: 1 } }])
    expect(decide(study)).toEqual(decide(study))
  })
})

describe('a route with several required inputs', () => {
  const t1 = { where: 'series.Modality == "MR" && series.SeriesNumber == 1' }
  const flair = { where: 'series.Modality == "MR" && series.SeriesNumber == 2' }
  const optional = { where: 'series.SeriesNumber == 9', required: false }
  const mr = (number: number) => ({ elements: { Modality: 'MR', SeriesNumber: number } })
  const waiting = (study: ReturnType<typeof studyOf>, overrides: Record<string, unknown> = {}) =>
    waitingRoutes([route({ name: 'brain', inputs: { t1, flair, optional }, ...overrides })], study)

  it('waits for the one that is missing while another is there', () => {
    expect(waiting(studyOf([mr(1)]))).toEqual([{ route: 'brain', input: 'flair' }])
    expect(waiting(studyOf([mr(2), mr(3)]))).toEqual([{ route: 'brain', input: 't1' }])
  })

  it('waits for nothing when all are there, or none: then the study is not its own', () => {
    expect(waiting(studyOf([mr(1), mr(2)]))).toEqual([])
    expect(waiting(studyOf([mr(3), { elements: ctElements }]))).toEqual([])
    expect(waiting(studyOf([]))).toEqual([])
  })

  it('waits for nothing when it is off, when its study condition fails, or when one input is all that it needs', () => {
    expect(waiting(studyOf([mr(1)]), { enabled: false })).toEqual([])
    expect(waiting(studyOf([mr(1)]), { when: 'study.PatientName == "Q"' })).toEqual([])
    expect(waiting(studyOf([mr(1)]), { when: 'study.StudyInstanceUID == "2.25.100"' })).toHaveLength(1)
    expect(waiting(studyOf([mr(9)]), { inputs: { t1, optional } })).toEqual([])
  })
})
