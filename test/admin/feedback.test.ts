import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningApp } from './running-app.ts'
import { seedStudies } from './seed.ts'

const app = new RunningApp()
let result: string
let token: string

beforeAll(async () => {
  await app.start()
  await seedStudies(app.knex)
  result = (await app.knex('results').where({ role: 'segmentation' }).first('sop_instance_uid')).sop_instance_uid
  token = (await app.auth.credentials.createToken({ name: 'reading room', role: 'radiologist', expiresAt: null })).token
})
afterAll(() => app.stop())

async function give(body: object, of = result): Promise<[number, Record<string, unknown>]> {
  const answer = await app.post(`/api/results/${of}/feedback`, body, { token })
  return [answer.status, (await answer.json()) as Record<string, unknown>]
}
const listed = async (query = '') =>
  (await (await app.fetch(`/api/feedback${query}`)).json()) as { total: number; feedback: Record<string, unknown>[] }

describe('feedback in the API', () => {
  it('is given by who is allowed to, and names its giver, the pipeline and what was measured', async () => {
    const [status, given] = await give({ verdict: 'accepted' })
    expect([status, given]).toMatchObject([
      201,
      { verdict: 'accepted', givenBy: 'token:reading room', sopInstanceUID: result, current: true, shadow: false },
    ])
    expect(given.pipeline).toMatch(/^ct-lung-density@sha256:/)
    expect(given.findings).toHaveLength(10)
    const audit = await app.knex('audit').where({ action: 'result-feedback' }).first()
    expect(audit).toMatchObject({ actor: 'token:reading room', subject: result, outcome: 'success' })
  })

  it('has a reason where it rejects, and an object where it corrects', async () => {
    for (const body of [
      { verdict: 'rejected' },
      { verdict: 'rejected', reason: '  ' },
      { verdict: 'corrected' },
      { verdict: 'corrected', correctedSOPInstanceUID: 'x' },
      { verdict: 'accepted', correctedSOPInstanceUID: '1.2.3' },
      { verdict: 'doubted' },
    ])
      expect((await give(body))[0], JSON.stringify(body)).toBe(400)
    expect(await give({ verdict: 'rejected', reason: 'misses a lobe' })).toMatchObject([
      201,
      { reason: 'misses a lobe' },
    ])
    expect(await give({ verdict: 'corrected', correctedSOPInstanceUID: '1.2.77' })).toMatchObject([
      201,
      { correctedSOPInstanceUID: '1.2.77' },
    ])
    expect(await give({ verdict: 'corrected', correctedSOPInstanceUID: result })).toMatchObject([
      409,
      { code: 'no-correction' },
    ])
    expect(await give({ verdict: 'accepted' }, '1.2.3.4')).toMatchObject([404, { code: 'unknown-result' }])
  })

  it('is listed by page, and exported whole', async () => {
    expect(await listed()).toMatchObject({
      total: 3,
      feedback: [{ verdict: 'corrected' }, { verdict: 'rejected' }, { verdict: 'accepted', current: false }],
    })
    expect(await listed('?limit=1&offset=1&pipeline=ct-lung-density')).toMatchObject({
      total: 3,
      feedback: [{ verdict: 'rejected' }],
    })
    expect(await listed('?verdict=accepted&from=2020-01-01T00:00:00Z')).toMatchObject({ total: 1 })
    const csv = await app.fetch('/api/feedback/export')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="feedback.csv"')
    expect((await csv.text()).trim().split('\r\n')).toHaveLength(4)
    const json = await app.fetch('/api/feedback/export?format=json&verdict=rejected')
    expect(await json.json()).toMatchObject([{ verdict: 'rejected', reason: 'misses a lobe' }])
    expect((await app.fetch('/api/feedback/export?format=xml')).status).toBe(400)
  })
})
