import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findingRefOf } from '../../src/store/insights/filter.ts'
import { type Run, runAll, volume } from '../store/insights/many-runs.ts'
import { RunningApp } from './running-app.ts'

const app = new RunningApp()
const finding = encodeURIComponent(findingRefOf(volume).id)

/** Twelve women and three men, of whom one was refused. */
const runs: Run[] = Array.from({ length: 16 }, (_, n) => ({
  study: n + 1,
  hour: n * 30,
  sex: n < 12 ? 'F' : 'M',
  volumes: [1000 + 10 * n],
  ...(n === 15 && { outcome: 'refused' as const }),
}))

beforeAll(async () => {
  app.settings = { insights: { drift: { minimum: 5, windowDays: 30, reference: { firstRuns: 8 } } } }
  app.now = () => new Date('2026-03-25T00:00:00.000Z')
  await app.start()
  await runAll(app.knex, runs)
})
afterAll(() => app.stop())

const get = async (where: string) => {
  const answer = await app.fetch(`/api/insights/${where}`)
  expect(answer.status, await answer.clone().text()).toBe(200)
  return (await answer.json()) as Record<string, unknown>
}

describe('insights in the API', () => {
  it('say what there is to choose from, and count it by groups', async () => {
    expect(await get('options')).toMatchObject({ findings: [{ name: 'Volume', values: 15 }], sexes: ['F', 'M'] })
    expect(await get(`groups?by=sex&finding=${finding}`)).toMatchObject({
      finding: { name: 'Volume', site: 'SCT:2' },
      total: { studies: 15, values: { n: 15, median: 1070 } },
      groups: [
        { key: 'F', label: 'female', values: { n: 12 } },
        { key: 'M', values: { n: 3, mean: 1130 } },
      ],
    })
    expect(await get('volumes?by=week')).toMatchObject({ total: { runs: 16, done: 15, refused: 1, failed: 0 } })
    expect(await get(`scatter?finding=${finding}&x=sliceThickness`)).toMatchObject({ total: 15 })
    expect(await get('patient/1.2.3.1')).toMatchObject({ known: true, measurements: [{ change: null }] })
    for (const wrong of ['groups?by=colour', 'groups?by=sex&finding=x', 'groups', 'patient/x'])
      expect((await app.fetch(`/api/insights/${wrong}`)).status, wrong).toBe(400)
  })

  it('withhold small counts in what leaves the page, and what would give them away', async () => {
    const csv = async (query: string) => {
      const answer = await app.fetch(`/api/insights/export?${query}`)
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
      return (await answer.text()).trim().split('\r\n')
    }
    const groups = await csv(`table=groups&by=sex&finding=${finding}`)
    expect(groups.slice(0, 3)).toEqual([
      'sex,studies,inferences,values,mean,deviation,p5,q1,median,q3,p95',
      'female,,,,,,,,,,',
      'male,,,,,,,,,,',
    ])
    expect(groups[3]).toMatch(/^all,15,15,15,1070,/)
    const volumes = await csv('table=volumes&by=sex')
    // Among the men 3 are done and 1 is refused.
    expect(volumes).toEqual(['sex,done,refused,failed,inferences', 'female,12,0,0,12', 'male,,,0,', 'all,,,0,'])
    expect((await csv(`table=histogram&by=pipeline&finding=${finding}`))[0]).toBe('from,to,lung,all')
    expect((await app.fetch('/api/insights/export?table=agreement&by=sex')).status).toBe(400)
    expect((await app.fetch('/api/insights/export?table=histogram')).status).toBe(400)
    expect(await app.knex('audit').where({ action: 'insights-export', outcome: 'success' }).pluck('subject')).toContain(
      'volumes',
    )
  })

  it('evaluate drift, for who may, and tell its history', async () => {
    const { token } = await app.auth.credentials.createToken({ name: 'v', role: 'viewer', expiresAt: null })
    expect((await app.post('/api/insights/drift', {}, { token })).status).toBe(403)
    const answer = await app.post('/api/insights/drift', {})
    expect(answer.status).toBe(200)
    const output = `output:${findingRefOf(volume).id}`
    const { evaluations } = (await get('drift')) as { evaluations: { measures: { subject: string }[] }[] }
    expect(evaluations).toMatchObject([
      {
        pipeline: 'lung',
        version: '1.0.0',
        verdict: 'strong',
        reference: { kind: 'first-runs', runs: 8 },
        window: { runs: 8 },
      },
    ])
    expect(evaluations[0]?.measures.find(({ subject }) => subject === output)).toMatchObject({
      reference: 8,
      window: 7,
    })
    const history = await get(`drift/history?pipeline=lung&version=1.0.0&subject=${encodeURIComponent(output)}`)
    expect(history).toMatchObject({ points: [{ verdict: 'strong' }] })
    const csv = await (await app.fetch('/api/insights/export?table=drift')).text()
    expect(csv.split('\r\n')[0]).toContain('bin,reference,window')
  })

  it('agreement is by what was said', async () => {
    expect(await get('agreement?by=scanner')).toMatchObject({ groups: [], total: { accepted: 0, agreement: null } })
  })
})
