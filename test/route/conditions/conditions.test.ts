import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromExpression } from '../../../src/route/conditions/from-expression.ts'
import type { Condition, ConditionGroup, FieldCondition, Operator } from '../../../src/route/conditions/model.ts'
import { operatorsFor } from '../../../src/route/conditions/operators.ts'
import { toExpression } from '../../../src/route/conditions/to-expression.ts'
import { Evaluation } from '../../../src/route/evaluation.ts'
import { compileExpression } from '../../../src/route/expression.ts'
import { ctElements, studyOf } from '../phantom-study.ts'

const line = (field: string, operator: Operator, ...values: (string | number)[]): FieldCondition => ({
  kind: 'field',
  field,
  operator,
  values,
})
const group = (match: ConditionGroup['match'], ...members: Condition[]): ConditionGroup => ({
  kind: 'group',
  match,
  members,
})

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const number = fc.oneof(fc.integer({ min: -5000, max: 5000 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
const numeric = fc.constantFrom('series.SliceThickness', 'series.instances', 'series.KVP')
const textual = fc.constantFrom('series.Modality', 'study.StudyDescription', 'series.ImageType[2]')
const whole = textual.filter((name) => !name.endsWith(']'))
const field = fc.oneof(
  fc.tuple(
    numeric,
    fc.constantFrom<Operator>('equals', 'not-equals', 'greater', 'at-least', 'less', 'at-most'),
    number,
  ),
  fc.tuple(textual, fc.constantFrom<Operator>('equals', 'contains', 'starts-with', 'ends-with'), text),
  fc.tuple(fc.constant('series.ImageType'), fc.constantFrom<Operator>('includes', 'excludes'), text),
  fc.tuple(fc.constant('study.StudyDate'), fc.constantFrom<Operator>('within-days', 'older-than-days'), fc.nat(999)),
  fc.tuple(fc.constant('study.PatientAge'), fc.constantFrom<Operator>('years-at-least', 'years-below'), fc.nat(120)),
)
const fields = fc.oneof(
  field.map(([name, operator, value]) => line(name, operator, value)),
  fc
    .tuple(numeric, fc.constantFrom<Operator>('one-of', 'not-one-of'), fc.array(number, { minLength: 1, maxLength: 3 }))
    .map(([name, operator, values]) => line(name, operator, ...values)),
  fc.tuple(numeric, number, number).map(([name, low, high]) => line(name, 'between', low, high)),
  fc.tuple(whole, fc.constantFrom<Operator>('exists', 'is-empty')).map(([name, operator]) => line(name, operator)),
)
const seriesFields = fields.filter(({ field: name }) => name.startsWith('series'))
const conditions = fc.letrec<{ member: Condition; inner: ConditionGroup; group: ConditionGroup }>((tie) => ({
  inner: fc.record({
    kind: fc.constant('group' as const),
    match: fc.constantFrom('all' as const, 'any' as const, 'none' as const),
    members: fc.array(seriesFields, { minLength: 1, maxLength: 3 }),
  }),
  member: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fields,
    fc.record({
      kind: fc.constant('series' as const),
      quantifier: fc.constantFrom('some' as const, 'every' as const, 'no' as const),
      where: tie('inner'),
    }),
    tie('group'),
  ),
  group: fc.record({
    kind: fc.constant('group' as const),
    match: fc.constantFrom('all' as const, 'any' as const, 'none' as const),
    members: fc.array(tie('member'), { maxLength: 4 }),
  }),
}))

describe('the conditions of the builder', () => {
  it('are written, read and written again to the same text, which the node takes', () => {
    fc.assert(
      fc.property(conditions.group, (model) => {
        const written = toExpression(model)
        const read = fromExpression(written)
        expect(read, written).not.toBeNull()
        expect(toExpression(read as ConditionGroup)).toBe(written)
        expect(fromExpression(toExpression(read as ConditionGroup))).toEqual(read)
        if (written !== '') compileExpression(written, 'series')
      }),
      { numRuns: 400 },
    )
  })

  it('mean what they say', () => {
    const [candidate] = new Evaluation({
      ...studyOf([{ elements: { ...ctElements, SeriesDate: '20260110', PatientAge: '045Y' } }]),
      today: '20260115',
    }).candidates
    const holds = (...members: Condition[]) =>
      compileExpression(toExpression(group('all', ...members)), 'series').test(candidate?.facts as never).value
    const ct = line('series.Modality', 'equals', 'CT')
    const mr = line('series.Modality', 'equals', 'MR')
    for (const [condition, expected] of [
      [ct, true],
      [group('any', mr, ct), true],
      [group('none', mr, ct), false],
      [group('none', mr), true],
      [group('none', group('all', ct, mr)), true],
      [line('series.Modality', 'one-of', 'MR', 'CT'), true],
      [line('series.Modality', 'not-one-of', 'MR', 'CT'), false],
      [line('series.ImageType', 'includes', 'ORIGINAL'), true],
      [line('series.ImageType', 'excludes', 'ORIGINAL'), false],
      [line('series.ImageType[2]', 'equals', 'AXIAL'), true],
      [line('series.SliceThickness', 'between', 2, 3), true],
      [line('series.SliceThickness', 'between', 2.6, 3), false],
      [line('series.KVP', 'is-empty'), true],
      [line('series.SeriesDate', 'within-days', 5), true],
      [line('series.SeriesDate', 'within-days', 4), false],
      [line('series.SeriesDate', 'older-than-days', 4), true],
      [line('series.SeriesDate', 'at-least', '20260101'), true],
      [line('series.PatientAge', 'years-at-least', 45), true],
      [line('series.PatientAge', 'years-below', 45), false],
      [{ kind: 'series', quantifier: 'some', where: group('all', ct) }, true],
      [{ kind: 'series', quantifier: 'every', where: group('any', mr) }, false],
      [{ kind: 'series', quantifier: 'no', where: group('any', mr) }, true],
    ] satisfies [Condition, boolean][])
      expect([toExpression(group('all', condition)), holds(condition)]).toEqual([expect.any(String), expected])
  })

  it.each([
    'series.Modality == "CT" && series.SliceThickness <= 3',
    'series.Modality == "CT" && (series.instances >= 20 || has(series.KVP)) && !("LOCALIZER" in series.ImageType)',
    '!(series.Modality == "CT" || series.Modality == "MR")',
    'study.series.exists(s, s.Modality == "SR" && s.instances > 0)',
    'series.SliceThickness >= 1 && series.SliceThickness <= 3',
    'study.PatientAge == "045Y" && years(study.PatientAge) >= 45',
    '',
  ])('show and give back unchanged: %s', (written) => {
    const model = fromExpression(written)
    expect(model).not.toBeNull()
    expect(toExpression(model as ConditionGroup)).toBe(written)
  })

  it.each([
    'series.Modality ==',
    'size(study.Modalities) > 1',
    'series.Modality == "CT" ? true : false',
    'series.Rows * series.Columns > 1000',
    'series.RequestAttributesSequence.exists(r, has(r.ScheduledProcedureStepID))',
    'series.Rows == series.Columns',
    'days(series.SeriesDate, study.StudyDate) <= 3',
    'study.series.exists(x, x.Modality == "CT")',
    'series.SeriesNumber == 99999999999999999',
    'true',
  ])('are left as text where no line can show it: %s', (written) => {
    expect(fromExpression(written)).toBeNull()
  })

  it('refuse what no line can have', () => {
    expect(() => toExpression(group('all', line('series.Modality || true', 'exists')))).toThrow(RangeError)
    expect(() => toExpression(group('all', line('series.Rows', 'between', 1)))).toThrow(RangeError)
    expect(() => toExpression(group('all', line('series.Rows', 'equals')))).toThrow(RangeError)
    expect(() => toExpression(group('all', line('series.Rows', 'equals', Number.NaN)))).toThrow(RangeError)
  })

  it('offer for each kind of element what the node takes', () => {
    for (const [name, vr, list, own] of [
      ['series.Modality', 'CS', false, 'CT'],
      ['series.SliceThickness', 'DS', false, 2],
      ['series.ImageType', 'CS', true, 'AXIAL'],
      ['series.SeriesDate', 'DA', false, '20260101'],
      ['study.PatientAge', 'AS', false, '045Y'],
      ['series.RequestAttributesSequence', 'SQ', true, ''],
    ] as const)
      for (const { operator, values, of } of operatorsFor({ vr, list })) {
        if (vr === 'SQ' && values !== 0) continue
        const value = of === 'number' ? 3 : own
        const count = values === 'many' ? 2 : values
        const written = toExpression(group('all', line(name, operator, ...Array<string | number>(count).fill(value))))
        expect(() => compileExpression(written, 'series'), written).not.toThrow()
      }
  })
})
