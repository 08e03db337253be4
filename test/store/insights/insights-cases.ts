import { spawnSync } from 'node:child_process'
import path from 'node:path'
import type { Knex } from 'knex'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { evaluateDrift } from '../../../src/store/insights/drift.ts'
import { keepEvaluation, latestEvaluations } from '../../../src/store/insights/drift-evaluations.ts'
import { findingRefOf, type InsightFilter } from '../../../src/store/insights/filter.ts'
import { groupValues, groupVolumes } from '../../../src/store/insights/groups.ts'
import { insightOptions } from '../../../src/store/insights/options.ts'
import { patientChange } from '../../../src/store/insights/patient-change.ts'
import { fillInsights, rebuildInsights } from '../../../src/store/insights/rebuild.ts'
import { readRows } from '../../../src/store/insights/rows.ts'
import { scatterOf } from '../../../src/store/insights/scatter.ts'
import { repository } from '../../support/data.ts'
import type { TemporaryStore } from '../../support/temporary-store.ts'
import { patientKey, type Run, randomFrom, runAll, volume } from './many-runs.ts'

/** What Python says; null where NumPy and SciPy are not there. */
function independently(asked: readonly object[]): unknown[] | null {
  const script = path.join(repository, 'test', 'store', 'insights', 'independent.py')
  const python = spawnSync('/usr/bin/python3', [script], { input: JSON.stringify(asked), encoding: 'utf8' })
  if (python.status === 0) return JSON.parse(python.stdout) as unknown[]
  expect(process.env.CI, `Python with NumPy and SciPy is needed: ${python.stderr}`).not.toBe('true')
  return null
}

const random = randomFrom(7)
const stations = ['CT1', 'CT2', 'CT3']

/** A year of examinations; the last two months are thicker and larger. */
const year = Array.from({ length: 160 }, (_, n): Run => {
  const isLate = n >= 120
  return {
    study: n + 1,
    hour: n * 50,
    sex: random() < 0.4 ? 'F' : 'M',
    age: `0${20 + Math.floor(random() * 70)}Y`,
    station: stations[Math.floor(random() * (isLate ? 1.2 : 3))] ?? '',
    sliceThickness: isLate ? 5 : 1 + Math.floor(random() * 3) / 2,
    outcome: n % 23 === 5 ? 'refused' : n % 41 === 7 ? 'failed' : 'done',
    volumes: [800 + 400 * random() + (isLate ? 300 : 0)],
  }
})
const further: Run[] = [
  // A revision that replaces the first, one in which somebody ended the job, and one of a shadow route.
  { study: 1, hour: 8000, revision: 2, volumes: [5000] },
  { study: 200, hour: 8001, outcome: 'cancelled' },
  { study: 2, hour: 8002, shadow: true, volumes: [6000] },
  // Without values, and without a patient's identifier.
  { study: 201, hour: 8003, patient: null, volumes: [] },
]

/** What was found, counted over many studies: the same numbers as others compute, on any database. */
export function insightsCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let database: Knex

  beforeEach(async () => {
    store = await open()
    database = store.database
  })
  afterEach(() => store.dispose())

  const values = async (filter: InsightFilter = {}) => (await readRows(database, filter, volume)).rows

  /** The same from the tables that everything else stands in: SQL that shares nothing with what is tested. */
  async function plainRows(): Promise<
    { value: number; header: string; at: string; state: string; refused: number; station: string }[]
  > {
    const answer = await database.raw(`
      select f.value as value, s.header as header, j.finished_at as at, j.state as state, j.refused as refused, e.header as station
      from jobs j join studies s on s.id = j.study_id join revisions r on r.id = j.revision_id
      join series e on e.study_id = s.id left join findings f on f.job_id = j.id and f.name = 'Volume'
      where j.kind = 'infer' and j.shadow = 0 and j.cancelled = 0 and r.number = s.revision
        and j.state in ('done', 'failed') order by j.finished_at`)
    return Array.isArray(answer) ? answer : answer.rows
  }
  const headerOf = (text: string) => JSON.parse(text) as Record<string, { Value: [string | number] }>
  const ageOf = (text: string) => Number.parseInt(String(headerOf(text)['00101010']?.Value[0]), 10)

  it('groups and volumes equal what NumPy computes over plain SQL', async ({ skip }) => {
    await runAll(database, [...year, ...further])
    const plain = (await plainRows()).filter(({ value }) => value !== null)
    const groups: Record<string, number[]> = { all: plain.map(({ value }) => value) }
    for (const { header, value } of plain) {
      const from = Math.floor(ageOf(header) / 10) * 10
      const band = `${from} to ${from + 9}`
      groups[band] = [...(groups[band] ?? []), value]
    }
    const grouped = groupValues(await values(), 'age')
    expect(grouped.total).toMatchObject({ runs: plain.length, studies: plain.length })
    expect(grouped.groups.map(({ label }) => label)).toEqual(
      Object.keys(groups)
        .filter((key) => key !== 'all')
        .sort(),
    )
    for (const { label, values: summary, histogram } of grouped.groups) {
      expect(summary?.n, label).toBe(groups[label]?.length)
      expect(histogram?.reduce((sum, count) => sum + count, 0)).toBe(summary?.n)
    }
    const volumes = groupVolumes((await readRows(database, {}, null)).rows, 'scanner')
    for (const { label, ...counts } of volumes.groups) {
      const own = (await plainRows()).filter(
        ({ station }) => label === `Acme Scan 9 (${headerOf(station)['00081010']?.Value[0]})`,
      )
      const outcome = (state: string, refused: number) =>
        own.filter((row) => row.state === state && row.refused === refused).length
      expect(counts).toMatchObject({
        done: outcome('done', 0),
        refused: outcome('failed', 1),
        failed: outcome('failed', 0),
      })
    }
    const answers = independently([{ task: 'describe', groups }]) ?? skip('no SciPy')
    const [expected] = answers as [Record<string, Record<string, number>>]
    for (const { label, values: summary } of [{ label: 'all', ...grouped.total }, ...grouped.groups]) {
      for (const [name, number] of Object.entries(expected[label] ?? { missing: 1 }))
        expect(summary?.[name as 'mean'], `${label} ${name}`).toBeCloseTo(number, 8)
    }
  })

  it('drift equals what SciPy computes, and is kept; a change of the verdict is told once', async ({ skip }) => {
    await runAll(database, year)
    const rule = { windowDays: 80, reference: { firstRuns: 100 }, minimum: 20 }
    const now = (await values())[0]?.at ?? ''
    const end = new Date(Date.parse(now) + 1).toISOString()
    const result = await evaluateDrift(database, { pipeline: 'lung', version: '1.0.0' }, rule, end)
    const rows = await plainRows()
    const [reference, after] = [rows.slice(0, 100), rows.slice(100)]
    const since = new Date(Date.parse(end) - 80 * 86_400_000).toISOString()
    const window = after.filter(({ at }) => at >= since)
    expect([result.reference.runs, result.window.runs]).toEqual([100, window.length])
    const numbers = (of: typeof rows) => of.flatMap(({ value }) => value ?? [])
    const ages = (of: typeof rows) => of.map(({ header }) => ageOf(header))
    const scanners = (of: typeof rows) => of.map(({ station }) => headerOf(station)['00081010']?.Value[0])
    const output = `output:${findingRefOf(volume).id}`
    const asked = [
      [output, 'numbers', numbers],
      ['input:age', 'numbers', ages],
      ['input:scanner', 'categories', scanners],
    ] as const
    const expected =
      independently(asked.map(([, task, of]) => ({ task, reference: of(reference), window: of(window) }))) ??
      skip('no SciPy')
    for (const [n, [subject]] of asked.entries()) {
      const measure = result.measures.find((one) => one.subject === subject)
      for (const [name, number] of Object.entries((expected[n] ?? { missing: 1 }) as Record<string, number>))
        expect(measure?.[name as 'stability'], `${subject} ${name}`).toBeCloseTo(number, 8)
    }
    expect(result.verdict).toBe('strong')
    expect(result.measures.find(({ subject }) => subject === 'input:fieldStrength')).toBeUndefined()
    const told = await keepEvaluation(database, result, end)
    expect(told).toMatchObject({ before: null, after: 'strong' })
    expect(told?.measures.map(({ label }) => label)).toContain('Slice thickness')
    expect(await keepEvaluation(database, result, end)).toBeNull()
    expect(await keepEvaluation(database, { ...result, verdict: 'none', measures: [] }, end)).toMatchObject({
      after: 'none',
    })
    const latest = await latestEvaluations(database)
    expect(latest).toMatchObject([{ pipeline: 'lung', version: '1.0.0', verdict: 'none', reference: { runs: 100 } }])
    const few = await evaluateDrift(database, { pipeline: 'lung', version: '1.0.0' }, { ...rule, minimum: 1000 }, end)
    expect(few.verdict).toBe('too-few')
    const period = { from: rows[0]?.at ?? '', to: rows[50]?.at ?? '' }
    const fixed = await evaluateDrift(
      database,
      { pipeline: 'lung', version: '1.0.0' },
      { ...rule, reference: period },
      end,
    )
    expect(fixed.reference).toMatchObject({ kind: 'period', runs: 50 })
  })

  it('only the newest revision counts; shadow routes on request; ended jobs never', async () => {
    await runAll(database, [...year.slice(0, 3), ...further])
    const counted = async (filter: InsightFilter) =>
      (await values(filter)).map(({ studyInstanceUID, value }) => `${studyInstanceUID} ${Math.round(value ?? 0)}`)
    const live = await counted({})
    expect(live).toHaveLength(3)
    expect(live[0]).toBe('1.2.3.1 5000')
    expect(await counted({ shadow: true })).toContain('1.2.3.2 6000')
    expect((await readRows(database, {}, null)).rows.map((row) => row.studyInstanceUID)).not.toContain('1.2.3.200')
    expect(await counted({ modality: 'CT', bodyPart: 'CHEST', from: '2026-12-01T00:00:00.000Z' })).toEqual([
      '1.2.3.1 5000',
    ])
    expect(await counted({ scanner: 'Acme Scan 9 (CT9)' })).toEqual([])
    expect(await counted({ ageFrom: 200 })).toEqual([])
    const options = await insightOptions(database)
    expect(options).toMatchObject({
      filling: false,
      pipelines: [{ name: 'lung', versions: ['1.0.0'] }],
      findings: [{ ...findingRefOf(volume), values: 4, pipelines: ['lung'] }],
      modalities: ['CT'],
      bodyParts: ['CHEST'],
    })
    const scatter = await scatterOf(database, {}, { finding: volume, x: 'age', limit: 2 })
    expect(scatter).toMatchObject({ total: 3, points: { length: 2 } })
  })

  it('rebuilding, and filling a database from before, give what is counted live', async () => {
    await runAll(database, [...year.slice(0, 30), ...further])
    const dump = async () => ({
      runs: await database('insight_runs').orderBy('job_id').select(columnsBesideId),
      values: await database('insight_values')
        .join('insight_runs', 'insight_runs.id', 'insight_values.run_id')
        .orderBy(['job_id', 'value'])
        .select('job_id', 'name', 'code', 'site', 'unit', 'value'),
    })
    const live = await dump()
    expect(live.runs).toHaveLength(33)
    expect(await rebuildInsights(database, { patientKey })).toBe(33)
    expect(await dump()).toEqual(live)
    await database('insight_values').delete()
    await database('insight_runs').delete()
    await database('insight_state').update({ filled: 0, filled_after: '' })
    expect(await fillInsights(database, { patientKey })).toBe(33)
    expect(await dump()).toEqual(live)
    expect(await fillInsights(database, { patientKey })).toBeNull()
    // What is deleted stays counted.
    await database('studies').where({ study_instance_uid: '1.2.3.3' }).delete()
    await rebuildInsights(database, { patientKey })
    expect((await dump()).runs).toEqual(live.runs)
  })

  it('follows a patient from study to study, also past the deletion of one', async ({ skip }) => {
    const dates = ['20250101', '20250601', '20260101', '20260601']
    await runAll(
      database,
      dates.map((studyDate, n) => ({ study: n + 1, hour: n, patient: 'P', studyDate, volumes: [100 * 1.5 ** n] })),
    )
    await runAll(database, [{ study: 9, hour: 9, patient: 'Q', volumes: [1] }])
    await database('studies').where({ study_instance_uid: '1.2.3.2' }).delete()
    const { studies, measurements } = await patientChange(database, '1.2.3.4')
    expect(studies.map(({ here }) => here)).toEqual([true, false, true, true])
    expect(measurements[0]?.points.map(({ date, value }) => [date, value])).toEqual([
      ['2025-01-01', 100],
      ['2025-06-01', 150],
      ['2026-01-01', 225],
      ['2026-06-01', 337.5],
    ])
    expect(await patientChange(database, '1.2.3.77')).toMatchObject({ known: false })
    const x = [0, 151, 365, 516]
    const answers = independently([{ task: 'line', x, y: [100, 150, 225, 337.5] }]) ?? skip('no SciPy')
    const [line] = answers as [{ slope: number; growth: number }]
    const change = measurements[0]?.change
    expect(change).toMatchObject({ days: 516, percent: 237.5 })
    expect(change?.perYear).toBeCloseTo(line.slope * 365.25, 8)
    expect(change?.doublingDays).toBeCloseTo(Math.LN2 / line.growth, 8)
  })
}

const columnsBesideId = [
  'job_id',
  'study_instance_uid',
  'revision',
  'current',
  'route',
  'pipeline',
  'version',
  'shadow',
  'outcome',
  'duration_ms',
  'at',
  'patient_key',
  'study_date',
  'hour',
  'weekday',
  'age',
  'sex',
  'scanner',
  'body_part',
  'slice_thickness',
  'pixel_spacing',
  'kvp',
  'images',
]
