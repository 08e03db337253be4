import { afterAll, beforeAll, expect, it } from 'vitest'
import { jobRow, timeline } from '../../src/admin/api-schemas.ts'
import { failureGroup, overview, queueState } from '../../src/admin/api-schemas-node.ts'
import { reasonOf } from '../../src/jobs/failure-groups.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { RunningApp } from './running-app.ts'
import { seedStudies, studies } from './seed.ts'

let app: RunningApp
beforeAll(async () => {
  app = await new RunningApp().start()
  await seedStudies(app.knex)
})
afterAll(() => app.stop())

async function json<T>(where: string): Promise<T> {
  const answer = await app.fetch(where)
  if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}
const post = async (where: string, body: unknown = {}) => {
  const answer = await app.post(where, body)
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

it('makes one reason of sentences that differ in what is of one case', () => {
  const reasons = [
    'slice thickness 5 mm is outside the declared limits of ct-lung-density: at most 3 mm',
    'slice thickness 7.25 mm is outside the declared limits of ct-lung-density: at most 3 mm',
  ].map(reasonOf)
  expect(new Set(reasons)).toEqual(
    new Set(['slice thickness … mm is outside the declared limits of ct-lung-density: at most … mm']),
  )
  expect(reasonOf('no answer of https://pacs.example/dicom-web: object 1.2.3.4, sha256:0011aabb is missing')).toBe(
    'no answer of …: object … is missing',
  )
})

it('shows jobs with what people know them by, and failures by their reasons', async () => {
  const { jobs } = await json<{ jobs: unknown[] }>('/api/jobs?state=failed')
  expect(jobs.map((job) => jobRow.strict().parse(job).kind).sort()).toEqual(['deliver', 'infer', 'infer'])
  expect(jobs).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ patientName: 'ROSSI^GIULIA', pipelineName: 'ct-lung-density', refused: true }),
    ]),
  )
  const { groups, complete } = await json<{ groups: unknown[]; complete: boolean }>('/api/queue/failures')
  expect(complete).toBe(true)
  expect(groups.map((group) => failureGroup.strict().parse(group).reason)).toContain(
    'the worker was killed at its deadline of … s',
  )
})

it('retries the failures of one reason, and leaves refusals unless they are asked for', async () => {
  const reason = 'the worker was killed at its deadline of … s'
  expect(await post('/api/queue/retry', { reason })).toEqual({
    status: 202,
    body: { changed: 1, left: [], more: false },
  })
  expect(await post('/api/queue/retry', { kind: 'infer' })).toMatchObject({ body: { changed: 0 } })
  expect(await post('/api/queue/retry', { kind: 'infer', refused: true })).toMatchObject({ body: { changed: 1 } })
})

it('pauses by all, kind, pipeline and destination; nothing is lost, and a restart changes nothing', async () => {
  const next = async (kind: 'infer' | 'deliver') => {
    // Another queue: as a node that was started again.
    const queue = new JobQueue({ database: app.knex })
    return { due: await queue.nextDue(kind), claimed: (await queue.claim(kind))?.id ?? null }
  }
  const waiting = (await json<{ total: number }>('/api/jobs?state=queued')).total
  expect(waiting).toBe(2)
  for (const body of [
    { scope: 'all' },
    { scope: 'kind', name: 'infer' },
    { scope: 'pipeline', name: 'ct-lung-density' },
  ]) {
    const { body: pause } = await post('/api/queue/pauses', { ...body, reason: 'maintenance' })
    expect(await next('infer')).toEqual({ due: null, claimed: null })
    const state = queueState.strict().parse(await json('/api/queue'))
    expect(state).toMatchObject({
      held: waiting,
      pauses: [{ author: 'token:bootstrap', reason: 'maintenance', waiting }],
    })
    const { jobs } = await json<{ jobs: { held: string }[] }>('/api/jobs?state=queued')
    expect(jobs[0]?.held).toMatch(/paused by token:bootstrap: maintenance$/)
    await app.fetch(`/api/queue/pauses/${String(pause.id)}`, { method: 'DELETE' })
  }
  expect((await app.fetch('/api/queue/pauses/999', { method: 'DELETE' })).status).toBe(404)
  await post('/api/queue/pauses', { scope: 'destination', name: 'pacs', reason: 'the PACS is down' })
  await post('/api/jobs/deliver-pacs-71/retry')
  expect(await next('deliver')).toEqual({ due: null, claimed: null })
  const { pauses } = await json<{ pauses: { id: number }[] }>('/api/queue/pauses')
  await app.fetch(`/api/queue/pauses/${pauses[0]?.id}`, { method: 'DELETE' })
  expect((await next('deliver')).claimed).toBe('deliver-pacs-71')
})

it('puts a job before others, and ends one: an ended job makes no study fail', async () => {
  const { jobs } = await json<{ jobs: { id: string; studyInstanceUID: string }[] }>('/api/jobs?state=queued&kind=infer')
  const [first, second] = jobs
  expect(await post(`/api/jobs/${second?.id}/priority`, { priority: 'urgent' })).toMatchObject({ status: 200 })
  expect((await json<{ jobs: { id: string }[] }>('/api/jobs?state=queued&kind=infer')).jobs[0]?.id).toBe(second?.id)
  expect(await post(`/api/jobs/${first?.id}/cancel`)).toEqual({ status: 202, body: { id: first?.id, state: 'failed' } })
  expect(await post(`/api/jobs/${first?.id}/cancel`)).toMatchObject({ status: 409, body: { code: 'job-ended' } })
  const told = timeline.parse(await json(`/api/studies/${first?.studyInstanceUID}`))
  expect(told.state).toBe('done')
  expect(told.events.at(-1)?.sentence).toContain('ended by token:bootstrap')
  expect(await post('/api/queue/cancel', { kind: 'infer' })).toMatchObject({ body: { changed: 1 } })
  // Running ones are their runner's.
  expect(await post('/api/jobs/infer-21/cancel')).toMatchObject({ body: { state: 'running' } })
})

it('gives the overview as its description says, with what is running and how far it is', async () => {
  app.progress.set('infer-21', { stage: 'infer', fraction: 0.4 })
  const shown = overview.parse(await json('/api/overview'))
  expect(shown.running).toMatchObject(
    expect.arrayContaining([expect.objectContaining({ id: 'infer-21', progress: { stage: 'infer', fraction: 0.4 } })]),
  )
  expect(shown.today).toMatchObject({ late: expect.any(Number) })
  expect(shown.arriving).toMatchObject({
    receiving: 1,
    studies: [{ studyInstanceUID: studies[0]?.uid, modalities: ['CT'] }],
  })
  expect(shown.processes[0]).toMatchObject({ kind: 'node', pid: process.pid })
  expect(shown.destinations).toMatchObject([{ name: 'self', pending: 0, lastError: null, paused: null }])
  expect(shown.quarters.reduce((sum, { studies: n }) => sum + n, 0)).toBe(shown.today.receivedStudies)
})
