import { describe, expect, it } from 'vitest'
import { agreementOf, type GivenOpinion, truthOf } from '../../../src/store/insights/agreement.ts'
import { statementsOf, thresholdsOf } from '../../../src/store/insights/statements.ts'

const code = { value: '112033', scheme: 'DCM', meaning: 'Abnormal opacity' }
const site = { value: '816094009', scheme: 'SCT', meaning: 'Chest' }
const manifest = JSON.stringify({
  outputs: [
    {
      kind: 'classification-report',
      from: 'p',
      classes: [{ id: 'o', label: 'Opacity', type: code, site, threshold: 0.5 }],
    },
    { kind: 'summary-pdf', classification: { from: 'p', classes: [{ id: 'n', label: 'Nodule', type: code }] } },
    { kind: 'segmentation' },
  ],
})

describe('statements', () => {
  it('are what thresholds of the manifest make of values', () => {
    const thresholds = thresholdsOf(manifest)
    expect(thresholds).toEqual([{ name: 'Opacity', code: 'DCM:112033', site: 'SCT:816094009', least: 50 }])
    const found = (value: number) => [{ name: 'Opacity', value, code: 'DCM:112033', site: 'SCT:816094009' }]
    expect(statementsOf(found(50), thresholds)).toEqual([{ name: 'Opacity', site: 'SCT:816094009', isPositive: true }])
    expect(statementsOf(found(49.9), thresholds)[0]?.isPositive).toBe(false)
    expect(statementsOf([{ ...found(90)[0]!, site: null }], thresholds)).toEqual([])
    expect(thresholdsOf('{}')).toEqual([])
  })
})

const positive = { name: 'Opacity', site: null, isPositive: true }
const negative = { ...positive, isPositive: false }
const other = { ...negative, name: 'Nodule' }

describe('the truth', () => {
  it.each([
    ['accepted', [positive], positive, true],
    ['accepted', [negative], negative, false],
    ['rejected', [positive], positive, false],
    ['rejected', [negative], negative, true],
    ['rejected', [positive, other], positive, null],
    ['missed', [negative], negative, true],
    ['missed', [positive, other], other, true],
    ['missed', [positive, other], positive, null],
    ['missed', [negative, other], negative, null],
    ['corrected', [negative], negative, true],
    ['corrected', [positive], positive, null],
    ['comment', [negative], negative, null],
  ] as const)('of %s with %j', (verdict, statements, statement, expected) => {
    expect(truthOf({ verdict, statements: [...statements], truth: [] }, statement)).toBe(expected)
  })

  it('is what was said of the finding itself, before all', () => {
    const truth = [{ name: 'Opacity', present: true }]
    expect(truthOf({ verdict: 'rejected', statements: [positive, other], truth }, positive)).toBe(true)
    expect(truthOf({ verdict: 'comment', statements: [negative], truth }, negative)).toBe(true)
    expect(
      truthOf({ verdict: 'accepted', statements: [negative], truth: [{ ...truth[0]!, site: 'SCT:1' }] }, negative),
    ).toBe(false)
  })
})

describe('agreement', () => {
  let id = 0
  const opinion = (run: string, verdict: GivenOpinion['verdict'], statement: typeof positive): GivenOpinion => ({
    id: ++id,
    at: '2026-01-05T00:00:00.000Z',
    verdict,
    run,
    pipeline: 'p',
    version: '1.0.0',
    route: 'r',
    scanner: null,
    truth: [],
    statements: [statement],
  })

  it('counts verdicts, and each statement of a run once by the newest that tells its truth', () => {
    const given = [
      opinion('a', 'accepted', positive),
      opinion('b', 'rejected', positive),
      opinion('b', 'accepted', positive),
      opinion('b', 'corrected', positive),
      opinion('c', 'accepted', positive),
      opinion('d', 'rejected', positive),
      opinion('e', 'missed', negative),
      opinion('f', 'accepted', negative),
      opinion('g', 'comment', negative),
    ]
    const { total, groups, performance } = agreementOf(given, 'version')
    expect(total).toMatchObject({ accepted: 4, rejected: 2, corrected: 1, missed: 1, comments: 1 })
    expect(total.agreement).toMatchObject({ hits: 4, of: 8, rate: 0.5 })
    expect(groups.map(({ label }) => label)).toEqual(['p 1.0.0'])
    expect(performance).toMatchObject([
      { finding: 'Opacity', truePositive: 3, falsePositive: 1, trueNegative: 1, falseNegative: 1, unknown: 1 },
    ])
    expect(performance[0]?.precision?.rate).toBe(0.75)
    expect(performance[0]?.recall?.rate).toBe(0.75)
    expect(performance[0]?.f1).toBe(0.75)
    // Wilson, 3 of 4: as SciPy's binomtest(3, 4).proportion_ci(method='wilson').
    expect(performance[0]?.precision?.low).toBeCloseTo(0.300_641_8, 6)
    expect(performance[0]?.precision?.high).toBeCloseTo(0.954_412_7, 6)
  })
})
