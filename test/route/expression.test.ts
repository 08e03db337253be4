import { describe, expect, it } from 'vitest'
import { compileExpression, compileNumber, termsOf } from '../../src/route/expression.ts'
import { ExpressionError } from '../../src/route/expression-error.ts'
import { seriesFacts, studyFacts } from '../../src/route/study-facts.ts'
import type { Scope } from '../../src/route/vocabulary.ts'
import { ctElements, studyOf } from './phantom-study.ts'

const study = studyOf(
  [
    {
      elements: {
        ...ctElements,
        KVP: null,
        RequestAttributesSequence: [
          {
            '00400009': { vr: 'SH', Value: ['P1'] },
            '00400008': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['CHEST'] } }] },
          },
          { '00400009': { vr: 'SH', Value: ['P2'] } },
        ],
      },
    },
    { elements: { Modality: 'PT', SeriesNumber: 4 }, instances: 40 },
  ],
  { StudyInstanceUID: '2.25.100', StudyDate: '20240131', PatientName: { Alphabetic: 'A^B' } },
)
const series = study.series.map(seriesFacts)
const facts = { study: studyFacts(study, series), series: series[0] as (typeof series)[number] }

function value(text: string): boolean {
  const verdict = compileExpression(text, 'series').evaluate(facts)
  expect(verdict.error, text).toBeUndefined()
  expect(compileExpression(text, 'series').test(facts).value, text).toBe(verdict.value)
  return verdict.value
}

function refusal(text: string, scope: Scope = 'series'): ExpressionError {
  try {
    compileExpression(text, scope)
  } catch (error) {
    if (error instanceof ExpressionError) return error
    throw error
  }
  throw new Error(`${text} was not refused`)
}

describe('an expression over DICOM elements', () => {
  it.each([
    ['series.SeriesNumber == 3', true],
    ['3 == series.SeriesNumber', true],
    ['series.SeriesNumber != 3', false],
    ['series.SeriesNumber == 3.0', true],
    ['series.SeriesNumber > 2.5', true],
    ['series.SliceThickness <= 2.5', true],
    ['series.SliceThickness < 3', true],
    ['series.SliceThickness * 2 == 5', true],
    ['10 / series.SliceThickness == 4', true],
    ['series.SeriesNumber % 2 == 1', true],
    ['series.SeriesNumber in [1, 3]', true],
    ['series.SeriesNumber in [1.5, 3.0]', true],
    ['-series.SeriesNumber < 0', true],
    ['series.instances >= 20', true],
    ['size(series.ImageType) == 3', true],
    ['series.PixelSpacing[0] < 1', true],
    ['series.PixelSpacing.all(p, p < 1)', true],
    ['1 in series.PixelSpacing', false],
  ])('compares numbers and integers without ceremony: %s', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it.each([
    ['series.Modality in ["CT", "MR"]', true],
    ['series.Modality.startsWith("C")', true],
    ['series.Modality.matches("^(CT|MR)$")', true],
    ['series.Modality.matches("^C(T[a-z+]?)*$") && series.Modality.matches("[(+*]?T")', true],
    ['!("LOCALIZER" in series.ImageType)', true],
    ['"AXIAL" in series.ImageType', true],
    ['series.ImageType.exists(t, t == "PRIMARY")', true],
    ['study.StudyDate >= "20240101"', true],
    ['study.PatientName == "A^B"', true],
    ['"PT" in study.Modalities', true],
    ['study.series.exists(s, s.Modality == "PT" && s.instances == 40)', true],
    ['study.NumberOfStudyRelatedSeries == 2', true],
    ['study.instances == 140', true],
    ['series.RequestAttributesSequence.exists(r, r.ScheduledProcedureStepID == "P2")', true],
    ['series.RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].CodeValue == "CHEST"', true],
    ['cel.bind(m, series.Modality, m == "CT")', true],
  ])('reads text, lists, sequences and the study: %s', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it.each([
    ['series.KVP > 100', false],
    ['!(series.KVP > 100)', false],
    ['series.KVP > 100 || series.Modality == "CT"', true],
    ['has(series.KVP)', false],
    ['!has(series.KVP)', true],
    ['!has(series.KVP) || series.KVP > 100', true],
    ['series.?KVP.orValue(120.0) > 100', true],
    ['series.PixelSpacing[7] > 0', false],
    ['series.KVP > 100 ? true : true', false],
  ])('is false where it needs a missing element, which can be tested for: %s', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it('says which values it looked at, and which were missing, also inside macros', () => {
    const text = 'series.Modality == "MR" || series.KVP > 100 || study.series.exists(s, s.Modality == "US")'
    const verdict = compileExpression(text, 'series').evaluate(facts)
    expect(verdict).toEqual({
      value: false,
      because: {
        'series.Modality': 'CT',
        'series.KVP': null,
        'study.series': '2 items',
        'study.series.Modality': ['CT', 'PT'],
      },
      missing: ['series.KVP'],
    })
    const inItems = compileExpression(
      'series.RequestAttributesSequence.exists(r, r.ScheduledProcedureStepID == "P9")',
      'series',
    )
    expect(inItems.evaluate(facts).because['series.RequestAttributesSequence.ScheduledProcedureStepID']).toEqual([
      'P1',
      'P2',
    ])
  })

  it('reports an error that is no missing element instead of throwing', () => {
    const verdict = compileExpression('int(series.Modality) == 1', 'series').evaluate(facts)
    expect(verdict.value).toBe(false)
    expect(verdict.error).toMatch(/int/)
  })

  it('takes an outermost && chain apart without changing its meaning', () => {
    const text =
      '(series.SliceThickness + 1) * 2 > 3 && (series.Modality == "CT" || has(series.KVP)) && !("X" in series.ImageType)'
    const terms = termsOf(text, 'series')
    expect(terms.map((term) => term.text)).toEqual([
      '(series.SliceThickness + 1) * 2 > 3',
      'series.Modality == "CT" || has(series.KVP)',
      '!("X" in series.ImageType)',
    ])
    expect(terms.every((term) => term.test(facts).value)).toBe(true)
  })

  it('gives a number for preferences, or null where an element is missing', () => {
    expect(compileNumber('series.instances * series.SliceThickness', 'series')(facts)).toBe(250)
    expect(compileNumber('series.KVP', 'series')(facts)).toBeNull()
    expect(() => compileNumber('series.Modality', 'series')).toThrow(/is a string, not a number/)
  })
})

describe('a mistaken expression is refused', () => {
  it('with line, column and a caret', () => {
    const error = refusal('series.Modality == "CT" &&\n  series.Modalty == "MR"')
    expect(error.code).toBe('unknown-keyword')
    expect([error.line, error.column]).toEqual([2, 10])
    expect(error.message).toBe(
      'line 2, column 10: unknown DICOM keyword "Modalty" (did you mean "Modality"?)\n    series.Modalty == "MR"\n           ^^^^^^^',
    )
  })

  it.each([
    ['series.Modality = "CT"', 'syntax', /equality is written ==/],
    ['series.Modality == "CT" and series.instances > 3', 'syntax', /written &&/],
    ['series.Modality == "CT', 'syntax', /Unterminated string/],
    ['', 'syntax', /EOF/],
    ['serie.Modality == "CT"', 'unknown-variable', /did you mean "series"/],
    ['Modality == "CT"', 'unknown-variable', /Modality is written series\.Modality/],
    [
      'series.RequestAttributesSequence.exists(r, r.ScheduledProcedureStepI == "1")',
      'unknown-keyword',
      /ScheduledProcedureStepID/,
    ],
    ['series["Modalty"] == "CT"', 'unknown-keyword', /Modality/],
    ['series.Modality > 3', 'wrong-type', /string > int/],
    ['"AXIAL" == series.ImageType', 'wrong-type', /string == list<string>/],
    ['"CT" in series.Modality', 'wrong-type', /string in string/],
    ['series.instances', 'not-boolean', /is a double, not true or false/],
    ['series.nothing()', 'wrong-type', /nothing/],
    ['process.exit()', 'unknown-variable', /process/],
    ['series.SeriesDescription.matches("^(a+)+$")', 'slow-pattern', /repeated group/],
    ['series.SeriesDescription.matches("(a|aa)*b")', 'slow-pattern', /repeated group/],
    ['series.SeriesDescription.matches("((ab)*c)*")', 'slow-pattern', /repeated group/],
    ['series.SeriesDescription.matches(series.Modality)', 'slow-pattern', /literal/],
    ['series.SeriesDescription.matches("(a")', 'syntax', /Invalid regular expression/],
    ['study.Modality == "CT"', 'not-in-study', /study\.Modalities/],
    ['study.SliceThickness < 2', 'not-in-study', /series\.SliceThickness/],
  ])('%s', (text, code, sentence) => {
    const error = refusal(text)
    expect(error.message).toMatch(sentence)
    expect(error.code).toBe(code)
  })

  it('when it speaks of a series where there is none', () => {
    expect(refusal('series.Modality == "CT"', 'study').sentence).toMatch(/known inside inputs only/)
  })
})
