import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { completeStudy, type StudyRevision } from '../../src/assemble/complete-study.ts'
import { createNotifying, type Notifying } from '../../src/flow/notifying.ts'
import { routeRevision } from '../../src/flow/route-revision.ts'
import { applyRoutes } from '../../src/flow/routes.ts'
import { tellingAtEnd } from '../../src/flow/telling.ts'
import type { Job } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { raise } from '../../src/notify/raise.ts'
import { signatureOf } from '../../src/notify/webhook.ts'
import { parseRouteDefinition } from '../../src/route/route-definition.ts'
import { SecretBox } from '../../src/store/secret-box.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

interface Got {
  headers: IncomingHttpHeaders
  body: string
}

const filters = { routes: [], pipelines: [], modalities: [], findings: [], lateMinutes: 30 }
const general = { enabled: true, phi: false, mostPerHour: 60, digestMinutes: 0, timeout: 5 }

/** Notifications over real HTTP and SMTP, on any database. */
export function notifyCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let hook: Server
  let url: string
  let got: Got[]
  let waiting: (() => void)[]
  let answers: number[]
  let notifying: Notifying

  beforeEach(async () => {
    store = await open()
    got = []
    waiting = []
    answers = []
    hook = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        res.statusCode = answers.shift() ?? 200
        res.end('as you say')
        got.push({ headers: req.headers, body: Buffer.concat(chunks).toString('utf8') })
        for (const tell of waiting.splice(0)) tell()
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`
    notifying = notifyingOn(true)
  })
  afterEach(async () => {
    await notifying.notifier.stop()
    await new Promise((resolve) => hook.close(resolve))
    await store.dispose()
  })

  const notifyingOn = (allowLocal: boolean) =>
    createNotifying({
      config: { aeTitle: 'HILUM', dataDir: store.dataDir, notify: { allowLocal, publicUrl: 'https://hilum.example' } },
      database: store.database,
      box: new SecretBox(store.dataDir),
      log: silentLog,
      onChange: () => {
        for (const tell of waiting.splice(0)) tell()
      },
    })
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const webhook = async (more: object = {}, via: object = {}) =>
    await notifying.notifications.addTarget(
      {
        name: `hook ${Math.random()}`,
        ...general,
        via: {
          kind: 'webhook',
          url,
          secret: 'a secret',
          headers: { 'X-Site': 'north' },
          ca: null,
          rejectUnauthorized: true,
          ...via,
        },
        ...more,
      },
      'test',
    )
  const subscribe = async (
    targetId: number,
    event: 'completed' | 'critical' | 'failed' | 'report',
    template: { subject: string; text: string; html: string | null; json: string | null } | null = null,
  ) => await notifying.notifications.addSubscription({ targetId, event, enabled: true, filters, template }, 'test')
  const tell = (once?: string) =>
    raise(store.database, {
      event: 'failed',
      at: new Date().toISOString(),
      detail: { sentence: 'a delivery to pacs has failed', destination: 'pacs' },
      ...(once && { once }),
    })

  it('signs what it posts, with the time; tries again when that fails, with the same id', async () => {
    const { id } = await webhook()
    await subscribe(id, 'failed')
    answers.push(503)
    expect(await tell()).toBe(true)
    notifying.notifier.start()
    await until(() => got.length === 1)
    await until(async () => (await notifying.notifications.messages({ limit: 10 })).messages[0]?.error !== null)
    const { messages } = await notifying.notifications.messages({ limit: 10 })
    expect(messages).toMatchObject([{ state: 'waiting', attempts: 1, error: 'HTTP 503: as you say' }])
    expect(Date.parse(messages[0]?.runAfter ?? '')).toBeGreaterThan(Date.now())
    await notifying.notifier.stop()
    await store.database('notification_messages').update({ run_after: new Date().toISOString() })
    // The pause of the target is over, too: as after a restart.
    notifying = notifyingOn(true)
    notifying.notifier.start()
    await until(async () => (await notifying.notifications.messages({ limit: 10 })).messages[0]?.state === 'sent')
    const [first, second] = got
    expect(second?.headers['hilum-delivery']).toBe(first?.headers['hilum-delivery'])
    for (const { headers, body } of got) {
      const timestamp = Number(headers['hilum-timestamp'])
      expect(Math.abs(Date.now() / 1000 - timestamp)).toBeLessThan(300)
      expect(headers['hilum-signature']).toBe(`v1=${signatureOf('a secret', timestamp, body)}`)
      expect(headers['x-site']).toBe('north')
      expect(JSON.parse(body)).toMatchObject({ event: 'failed', destination: 'pacs', node: 'HILUM' })
    }
    expect(JSON.stringify(await store.database('notification_targets'))).not.toContain('a secret')
  })

  it('gives up what the other side will never take, and sends it again on a word', async () => {
    const { id } = await webhook()
    await subscribe(id, 'failed')
    answers.push(422)
    await tell()
    notifying.notifier.start()
    await until(
      async () => (await notifying.notifications.messages({ state: 'dead', limit: 10 })).messages.length === 1,
    )
    const [dead] = (await notifying.notifications.messages({ limit: 10 })).messages
    expect(await notifying.notifications.attempts(dead?.id ?? 0)).toMatchObject([
      { ok: false, answer: 'HTTP 422: as you say' },
    ])
    await expect(notifying.notifications.retry(999)).rejects.toThrow('no message')
    expect(await notifying.notifications.retry(dead?.id ?? 0)).toBe(1)
    await until(async () => (await notifying.notifications.messages({ limit: 10 })).messages[0]?.state === 'sent')
    await expect(notifying.notifications.discard(dead?.id ?? 0)).rejects.toThrow('given up')
  })

  it('tells nothing that is rolled back, once only what is told once, and what nobody wants not at all', async () => {
    expect(await tell()).toBe(false)
    const { id } = await webhook()
    await subscribe(id, 'failed')
    await expect(
      store.database.transaction(async (trx) => {
        await raise(trx, { event: 'failed', at: 'now', detail: { sentence: 'never' } })
        throw new Error('rolled back')
      }),
    ).rejects.toThrow('rolled back')
    expect(await tell('this')).toBe(true)
    expect(await tell('this')).toBe(false)
    expect(await store.database('notification_events')).toHaveLength(1)
  })

  it('goes to this machine only where the settings say so', async () => {
    const { id } = await webhook()
    const before = await notifyingOn(false).notifications.testTarget(id)
    expect(before).toMatchObject({
      ok: false,
      steps: [{ step: 'address', outcome: 'failed' }, {}, { outcome: 'skipped' }],
    })
    const mapped = await webhook({}, { url: url.replace('127.0.0.1', '[::ffff:127.0.0.1]') })
    expect(await notifyingOn(false).notifications.testTarget(mapped.id)).toMatchObject({ ok: false })
    expect(got).toEqual([])
    expect(await notifying.notifications.testTarget(id)).toMatchObject({
      ok: true,
      steps: [{}, { outcome: 'warning' }, { outcome: 'passed' }],
    })
    expect(got).toHaveLength(1)
  })

  it('sends what is too much as one', async () => {
    const { id } = await webhook({ mostPerHour: 5 })
    await subscribe(id, 'failed')
    for (let i = 0; i < 40; i++) await tell()
    notifying.notifier.start()
    await until(
      async () => (await notifying.notifications.messages({ state: 'sent', limit: 100 })).messages.length === 40,
    )
    expect(got).toHaveLength(1)
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ event: 'digest', total: 40, counts: { failed: 40 } })
  })

  it('names the patient only to whom it may, and escapes what names hold', async () => {
    const mails: string[] = []
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, _session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString('utf8'))
          done()
        })
      },
    })
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', () => resolve()))
    const { port } = smtp.server.address() as AddressInfo
    try {
      await study('<img src=x onerror=alert(1)>')
      const via = {
        kind: 'email' as const,
        host: '127.0.0.1',
        port,
        security: 'none' as const,
        username: null,
        password: null,
        from: 'hilum@hospital.example',
        to: ['a@hospital.example'],
        ca: null,
        rejectUnauthorized: true,
      }
      const secretive = await notifying.notifications.addTarget({ name: 'all', ...general, via }, 'test')
      const template = {
        subject: '{{patientName}}\r\nBcc: x',
        text: '{{patientName}}',
        html: '<p title="{{patientName}}">{{patientName}}</p>',
        json: null,
      }
      await expect(subscribe(secretive.id, 'failed', template)).rejects.toThrow('who the patient is')
      const doctor = await notifying.notifications.addTarget({ name: 'doctor', ...general, phi: true, via }, 'test')
      await subscribe(doctor.id, 'failed', template)
      await subscribe(secretive.id, 'failed')
      const { id } = await store.database('studies').first('id')
      await raise(store.database, {
        event: 'failed',
        at: new Date().toISOString(),
        studyId: id,
        detail: { sentence: 'it has failed' },
      })
      notifying.notifier.start()
      await until(
        async () => (await notifying.notifications.messages({ state: 'sent', limit: 10 })).messages.length === 2,
      )
      const [named, unnamed] = [
        mails.find((mail) => mail.includes('text/html')),
        mails.find((mail) => !mail.includes('text/html')),
      ]
      expect(named).toContain('&#60;img src')
      expect(named?.split('text/html')[1]).not.toContain('<img')
      expect(named).not.toMatch(/^Bcc:/m)
      expect(unnamed).not.toContain('img')
      expect(unnamed).toContain('it has failed')
      await expect(
        notifying.notifications.replaceTarget(doctor.id, { name: 'doctor', ...general, via }, 'test'),
      ).rejects.toThrow('who the patient is')
      // A switch that is turned off counts for what waits already.
      await store.database('notification_targets').where({ id: doctor.id }).update({ phi: 0 })
      await raise(store.database, {
        event: 'failed',
        at: new Date().toISOString(),
        studyId: id,
        detail: { sentence: 'again' },
      })
      notifying.notifier.poke()
      await until(() => mails.length === 4)
      expect(mails.slice(2).join()).not.toContain('onerror')
    } finally {
      await notifying.notifier.stop()
      await new Promise<void>((resolve) => smtp.close(() => resolve()))
    }
  })

  it('marks what is critical, delivers it first, and tells it in the transaction of the result', async () => {
    const { id } = await webhook()
    await subscribe(id, 'critical')
    await subscribe(id, 'completed')
    const queue = new JobQueue({ database: store.database, atEnd: tellingAtEnd })
    const parsed = parseRouteDefinition({
      name: 'lung',
      inputs: { ct: { where: 'series.SeriesNumber == 1' } },
      pipeline: 'p',
      destinations: ['self'],
      urgent: [{ finding: 'volume', over: 3, category: 2 }],
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    await applyRoutes(store.database, [parsed.definition], { at: new Date().toISOString(), author: 'test' })
    const revision = await study('Doe^Jane')
    await routeRevision(revision.id, {
      database: store.database,
      queue,
      log: silentLog,
      pinnedPipeline: (name) => `${name}@sha256:0`,
    })
    const job = (await queue.claim('infer')) as Job
    const of = { job_id: job.id, study_id: job.studyId, revision_id: job.revisionId, pipeline: 'p' }
    const result = {
      ...of,
      role: 'measurements',
      sop_instance_uid: '2.25.1',
      sop_class_uid: '1.2',
      series_instance_uid: '2.25.2',
      modality: 'SR',
      object_key: 'k',
      size: 1,
      sha256: '0',
      created_at: new Date().toISOString(),
    }
    await queue.end(job, {
      kind: 'done',
      commit: async (trx) => {
        await trx('results').insert(result)
        await trx('findings').insert({ ...of, name: 'volume', value: 4, unit: 'L', code: 'SCT:1' })
        const deliver = {
          id: 'd',
          kind: 'deliver' as const,
          studyId: job.studyId,
          revisionId: job.revisionId,
          route: 'lung',
          pipeline: 'p',
          destination: 'self',
          priority: 0,
          payload: {},
        }
        await queue.enqueue(deliver, trx)
        const { id: resultId } = await trx('results').first('id')
        await trx('deliveries').insert({
          result_id: resultId,
          job_id: 'd',
          destination: 'self',
          state: 'pending',
          updated_at: result.created_at,
        })
      },
    })
    notifying.notifier.start()
    await until(() => got.length === 2)
    const critical = got.map(({ body }) => JSON.parse(body)).find(({ event }) => event === 'critical')
    expect(critical).toMatchObject({
      urgent: true,
      sentence: 'critical finding: volume is 4 L, over 3',
      route: 'lung',
      findings: [{ name: 'volume', value: 4 }],
    })
    expect(critical.study.studyInstanceUID).toBe(studyUID(1))
    expect(critical).not.toHaveProperty('patient')
    const timeline = await studyTimeline(store.database, studyUID(1))
    expect(timeline?.results).toMatchObject([{ urgent: true }])
    expect(timeline?.events).toContainEqual(expect.objectContaining({ kind: 'critical' }))
    expect((await store.database('jobs').where({ id: 'd' }).first('priority')).priority).toBe(20)
  })

  /** A complete study of a patient. */
  async function study(patientName: string): Promise<StudyRevision> {
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    await store.database('studies').update({ patient_name: patientName })
    const { id } = await store.database('studies').first('id')
    const done = await completeStudy(store.database, {
      studyId: id,
      now: new Date().toISOString(),
      reasonFor: () => 'for a test',
    })
    return (done as { revision: StudyRevision }).revision
  }
}
