import { describe, expect, it } from 'vitest'
import { periodOf } from '../../../src/store/insights/dimensions.ts'
import { ageOf, examinationFacts } from '../../../src/store/insights/facts.ts'
import { binCounts, binEdges } from '../../../src/store/insights/summary.ts'

describe('the age', () => {
  it.each([
    ['045Y', null, null, 45],
    ['018M', null, null, 1],
    ['006M', null, null, 0.5],
    ['010D', null, null, 0],
    ['62', '19640303', '20260302', 61],
    [null, '19640302', '20260302', 62],
    [null, '20260101', '20260402', 0.25],
    [null, '20270101', '20260402', null],
    [null, '17000101', '20260402', null],
    [null, null, '20260402', null],
  ])('of %s, born %s, on %s', (age, birth, study, expected) => {
    expect(ageOf(age, birth, study)).toBe(expected)
  })
})

describe('the facts of an examination', () => {
  const element = (vr: string, ...Value: unknown[]) => ({ vr, Value })

  it('come from the series, else from the study, and name nobody', () => {
    const study = {
      '00080020': element('DA', '20260301'),
      '00080030': element('TM', '2359'),
      '00100010': element('PN', { Alphabetic: 'Roe^Jane' }),
      '00100020': element('LO', '4711'),
      '00100030': element('DA', '19500101'),
      '00100040': element('CS', 'f'),
    }
    const series = {
      '00080021': element('DA', '20260302'),
      '00080031': element('TM', '07:15'),
      '00080070': element('LO', 'Acme'),
      '00180015': element('CS', 'Chest '),
      '00180050': element('DS', 0),
    }
    const facts = examinationFacts(study, series)
    expect(facts).toMatchObject({
      study_date: '20260301',
      hour: 7,
      weekday: 1,
      age: 76,
      sex: 'F',
      scanner: 'Acme',
      body_part: 'CHEST',
      slice_thickness: null,
      pixel_spacing: null,
    })
    expect(JSON.stringify(facts)).not.toMatch(/Roe|4711|1950/)
    expect(examinationFacts(study, null)).toMatchObject({ hour: 23, weekday: 7, scanner: null, modality: null })
    expect(examinationFacts({ '00080020': element('DA', '20260230') }, null)).toMatchObject({
      study_date: null,
      weekday: null,
    })
  })
})

describe('bins and periods', () => {
  it('have round edges that hold every value, once', () => {
    for (const values of [[3], [0, 0], [-7.2, 11.9, 4], [0.001, 0.0042], [1e6, 1e6 + 1]]) {
      const edges = binEdges(values) ?? []
      expect(Math.min(...values)).toBeGreaterThanOrEqual(edges[0] as number)
      expect(Math.max(...values)).toBeLessThanOrEqual(edges.at(-1) as number)
      expect(binCounts(values, edges).reduce((sum, count) => sum + count, 0)).toBe(values.length)
      expect(edges.length).toBeLessThan(45)
    }
    expect(binEdges([])).toBeNull()
    expect(binCounts([0, 1, 2], [0, 1, 2])).toEqual([1, 2])
  })

  it('begin on Monday, and on the first', () => {
    expect(periodOf('2026-03-01T23:59:59.999Z', 'week')).toEqual({ key: '2026-02-23', label: 'week of 2026-02-23' })
    expect(periodOf('2026-03-02T00:00:00.000Z', 'week').key).toBe('2026-03-02')
    expect(periodOf('2026-03-31T00:00:00.000Z', 'month')).toEqual({ key: '2026-03-01', label: '2026-03' })
  })
})
