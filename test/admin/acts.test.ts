import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { create } from 'tar'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setting } from '../../src/admin/api-settings.ts'
import { InstalledPipelines, rememberPipeline } from '../../src/flow/installed-pipelines.ts'
import { placeOf } from '../../src/flow/unpack.ts'
import { loadPipelines } from '../../src/infer/load-pipelines.ts'
import { repository } from '../support/data.ts'
import { RunningApp } from './running-app.ts'
import { seedStudies, studies } from './seed.ts'

const models = path.join(repository, 'models')
let app: RunningApp
let folder: string

beforeAll(async () => {
  app = new RunningApp()
  folder = path.join(app.dataDir, 'pipelines')
  for (const name of ['ct-lung-density', 'image-denoise'])
    cpSync(path.join(models, name), path.join(folder, name), { recursive: true })
  const { pipelines } = await loadPipelines(folder)
  app.pipelines = new InstalledPipelines(pipelines)
  app.settings = {
    destinations: {
      pacs: { kind: 'stow-rs', url: 'https://u:p@pacs.example/dicom', auth: { kind: 'bearer', token: 'hidden-token' } },
    },
  }
  await app.start()
  for (const pipeline of pipelines) await rememberPipeline(pipeline, app.knex, new Date().toISOString())
  await seedStudies(app.knex)
})
afterAll(() => app.stop())

async function send(method: string, where: string, body?: unknown) {
  const answer = await app.fetch(where, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await answer.text()
  return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, never> }
}
const uidOf = (story: string) => studies.find((study) => study.story === story)?.uid ?? ''

describe('acts on studies', () => {
  it('does a stage again, tells what follows, and writes down who wanted it', async () => {
    const uid = uidOf('found')
    const again = await send('POST', `/api/studies/${uid}/retry`, { from: 'deliver' })
    expect(again).toEqual({ status: 202, body: { sentence: '1 delivery queued again', jobs: ['deliver-self-31'] } })
    const { id } = await app.knex('studies').where({ study_instance_uid: uid }).first('id')
    const deliveries = await app.knex('deliveries').where({ job_id: 'deliver-self-31' }).distinct('state')
    expect(deliveries).toEqual([{ state: 'pending' }])
    expect((await send('POST', `/api/studies/${uid}/retry`, { from: 'infer' })).body).toMatchObject({
      jobs: ['infer-31'],
    })
    const last = await app.knex('study_events').where({ study_id: id }).orderBy('id', 'desc').first('sentence')
    expect(last.sentence).toBe('inference by route lung-density queued again by token:bootstrap')
    expect(await send('POST', `/api/studies/${uid}/retry`, { from: 'deliver', destination: 'other' })).toMatchObject({
      status: 404,
      body: { code: 'nothing-there' },
    })
  })

  it('decides the routes again: what is the same stays, what is another is queued', async () => {
    const uid = uidOf('unmatched')
    const definition = {
      name: 'all-mr',
      inputs: { ct: { where: "series.Modality == 'MR'" } },
      pipeline: 'ct-lung-density',
      destinations: ['self'],
    }
    const { parseRouteDefinition } = await import('../../src/route/route-definition.ts')
    const parsed = parseRouteDefinition(definition)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    await app.knex('routes').insert({
      name: 'all-mr',
      version: 1,
      active: 1,
      position: 0,
      definition: JSON.stringify(parsed.definition),
      created_at: '2026',
    })
    const header = { '00080060': { vr: 'CS', Value: ['MR'] } }
    const series = `${uid}.1`
    await app
      .knex('series')
      .where({ series_instance_uid: series })
      .update({ header: JSON.stringify(header) })
    await app
      .knex('revisions')
      .where({ id: 61 })
      .update({ members: JSON.stringify({ [series]: ['aa/bb/x.dcm'] }) })
    const routed = await send('POST', `/api/studies/${uid}/retry`, { from: 'route' })
    expect(routed).toMatchObject({ status: 202, body: { sentence: '1 of the routes match; 1 jobs queued' } })
    const same = await send('POST', `/api/studies/${uid}/retry`, { from: 'route' })
    expect(same.body).toMatchObject({ sentence: '1 of the routes match; 0 jobs queued', jobs: [] })
    await app.knex('routes').update({ active: 0 })
    const none = await send('POST', `/api/studies/${uid}/retry`, { from: 'route' })
    expect(none.body).toMatchObject({ sentence: '0 of the routes match; 0 jobs queued, 1 of what waited ended' })
    expect(await app.knex('revisions').where({ id: 61 }).first('routed')).toEqual({ routed: 1 })
  })

  it('runs a pipeline on the series that is chosen, or the one that fits', async () => {
    const uid = uidOf('refused')
    await app
      .knex('revisions')
      .where({ id: 51 })
      .update({ members: JSON.stringify({ [`${uid}.1`]: ['aa/bb/x.dcm'] }) })
    const run = (body: object) => send('POST', `/api/studies/${uid}/run`, body)
    expect(await run({ pipeline: 'nothing' })).toMatchObject({ status: 404, body: { code: 'pipeline-unknown' } })
    expect(await run({ pipeline: 'ct-lung-density', inputs: { ct: '1.2.3' } })).toMatchObject({
      status: 409,
      body: { code: 'bad-inputs' },
    })
    expect(await run({ pipeline: 'ct-lung-density', destinations: ['nowhere'] })).toMatchObject({ status: 404 })
    const queued = await run({ pipeline: 'ct-lung-density', destinations: ['pacs'] })
    const job = await app.knex('jobs').where({ id: queued.body.jobs?.[0] }).first()
    expect(JSON.parse(job.payload)).toMatchObject({ inputs: { ct: `${uid}.1` }, destinations: ['pacs'] })
    expect(job).toMatchObject({ state: 'queued', route: null, priority: 10 })
    expect(await run({ pipeline: 'ct-lung-density' })).toMatchObject({ status: 409, body: { code: 'has-work' } })
    await send('POST', `/api/jobs/${job.id}/cancel`)
    // What has ended is run again, not twice beside each other.
    expect((await run({ pipeline: 'ct-lung-density' })).body.jobs).toEqual([job.id])
    await send('POST', `/api/jobs/${job.id}/cancel`)
  })

  it('delivers elsewhere', async () => {
    const uid = uidOf('revised')
    const sent = await send('POST', `/api/studies/${uid}/deliver`, { destination: 'pacs' })
    expect(sent).toMatchObject({ status: 202, body: { sentence: '3 results are on their way to pacs' } })
    const rows = await app.knex('deliveries').where({ destination: 'pacs', job_id: sent.body.jobs?.[0] })
    expect(rows.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    expect(
      await send('POST', `/api/studies/${uid}/deliver`, { destination: 'pacs', results: ['1.2.3'] }),
    ).toMatchObject({ status: 404 })
  })

  it('deletes a study only when its UID is repeated, and nothing of it runs', async () => {
    const uid = uidOf('delivery-failed')
    const remove = (of: string, confirm: string) => send('DELETE', `/api/studies/${of}?confirm=${confirm}`)
    expect(await remove(uid, '1.2.3')).toMatchObject({ status: 400, body: { code: 'not-confirmed' } })
    expect(await remove(uidOf('processing'), uidOf('processing'))).toMatchObject({
      status: 409,
      body: { code: 'has-work' },
    })
    expect(await remove(uidOf('receiving'), uidOf('receiving'))).toMatchObject({
      status: 409,
      body: { code: 'not-complete' },
    })
    const removed = await remove(uid, uid)
    expect(removed).toMatchObject({
      status: 200,
      body: { sentence: expect.stringMatching(/^the study was deleted by token:bootstrap/) },
    })
    expect(await send('GET', `/api/studies/${uid}`)).toMatchObject({ status: 410 })
    const audited = await app
      .knex('audit')
      .where({ action: 'study-delete', subject: uid, outcome: 'success' })
      .first('actor')
    expect(audited).toEqual({ actor: 'token:bootstrap' })
  })
})

describe('pipelines', () => {
  const upload = async (file: string, bytes: Buffer) => {
    const init = {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
    }
    const answer = await fetch(new URL(`/api/pipelines/uploads?file=${file}`, app.url), {
      ...init,
      headers: { ...init.headers, authorization: 'Bearer bootstrap-token-of-the-tests' },
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, never> }
  }
  const archive = async (entries: Record<string, string | Buffer>) => {
    const from = mkdtempSync(path.join(tmpdir(), 'hilum-upload-'))
    for (const [name, content] of Object.entries(entries)) {
      mkdirSync(path.dirname(path.join(from, name)), { recursive: true })
      writeFileSync(path.join(from, name), content)
    }
    await create({ file: path.join(from, 'all.tar'), cwd: from, portable: true }, Object.keys(entries))
    return readFileSync(path.join(from, 'all.tar'))
  }
  const ownVersion = (version: string) =>
    readFileSync(path.join(models, 'ct-lung-density/pipeline.yaml'), 'utf8').replace(
      /^version: .*$/m,
      `version: ${version}`,
    )
  const model = readFileSync(path.join(models, 'ct-lung-density/model.onnx'))

  it('installs an uploaded version, which runs at once, and switches it off and on', async () => {
    const bytes = await archive({ 'lung/pipeline.yaml': ownVersion('2.0.0'), 'lung/model.onnx': model })
    const { status, body } = await upload('lung.tar', bytes)
    expect([status, body.kind]).toEqual([201, 'pipeline'])
    const checked = await send('POST', `/api/pipelines/uploads/${body.id}/check`, {})
    expect(checked.body).toMatchObject({ installable: true, problems: [], version: '2.0.0', questions: [] })
    expect(await send('POST', `/api/pipelines/uploads/${body.id}/install`, {})).toMatchObject({
      status: 201,
      body: { isDefault: true, enabled: true },
    })
    expect(app.pipelines.get('ct-lung-density')?.version).toBe('2.0.0')
    expect(existsSync(path.join(folder, 'ct-lung-density-2.0.0', 'pipeline.yaml'))).toBe(true)
    const off = await send('POST', '/api/pipelines/ct-lung-density/versions/2.0.0/disable', { reason: 'drifts' })
    expect(off.body).toMatchObject({
      enabled: false,
      disabled: { by: 'token:bootstrap', reason: 'drifts' },
      isDefault: false,
    })
    expect(app.pipelines.get('ct-lung-density')?.version).not.toBe('2.0.0')
    expect(app.pipelines.get('ct-lung-density@2.0.0')).toBeUndefined()
    await send('POST', '/api/pipelines/ct-lung-density/versions/2.0.0/enable', {})
    expect(app.pipelines.get('ct-lung-density')?.version).toBe('2.0.0')
    const card = await send('GET', '/api/pipelines/ct-lung-density/versions/2.0.0')
    expect(card.body).toMatchObject({
      inputs: [{ name: 'ct', modality: ['CT'] }],
      evaluation: null,
      demonstrator: false,
    })
    const again = await upload('lung.tar', bytes)
    expect((await send('POST', `/api/pipelines/uploads/${again.body.id}/install`, {})).body).toMatchObject({
      code: 'not-installable',
    })
    await send('DELETE', `/api/pipelines/uploads/${again.body.id}`)
  })

  it('asks of an ONNX file what it does not say, with proposals', async () => {
    const { body } = await upload('my-lungs.onnx', model)
    expect(body).toMatchObject({ kind: 'onnx', suggestedName: 'my-lungs' })
    const asked = await send('POST', `/api/pipelines/uploads/${body.id}/check`, { answers: { modality: 'CT' } })
    const questions = asked.body.questions as unknown as { id: string; kind: string; answer: string }[]
    expect(questions.find(({ id }) => id === 'modality')).toMatchObject({ answer: 'CT' })
    expect(asked.body).toMatchObject({
      answered: true,
      name: 'my-lungs',
      manifest: expect.stringContaining('modality: CT'),
    })
    await send('DELETE', `/api/pipelines/uploads/${body.id}`)
    expect((await send('GET', '/api/pipelines/uploads')).body).toEqual({ uploads: [] })
  })

  it('takes nothing that leads out of its folder, that is too large, or that is no pipeline', async () => {
    for (const name of ['../x', '/etc/passwd', 'a/../../x', 'a\\..\\x', 'c:/x', 'a/\0b', `${'d/'.repeat(20)}x`])
      expect(() => placeOf(name), name).toThrow('cannot be used')
    expect(placeOf('__MACOSX/x')).toBeNull()
    expect((await upload('x.txt', Buffer.from('hello'))).body).toMatchObject({ status: 400, code: 'not-importable' })
    expect((await upload('x.tar', await archive({ 'a.txt': 'x' }))).body).toMatchObject({ code: 'not-importable' })
    const zip = Buffer.from('504b0304000000000000', 'hex')
    expect((await upload('x.zip', zip)).body).toMatchObject({ code: 'bad-archive' })
    expect(readdirSync(path.join(app.dataDir, 'uploads'))).toEqual([])
  })

  it('refuses an uploaded pipeline that would run a program of the machine', async () => {
    const text = ownVersion('3.0.0').replace(/^infer:[\s\S]*?(?=^\w)/m, (infer) =>
      infer.replace(/file: model.onnx[^\n]*|\{ file: model.onnx[^}]*\}/, (found) => found),
    )
    const yaml = text.replace(
      /model:\s*\{[^}]*\}|model:\n(?: {6,}.*\n)+/,
      'model: { runtime: command, command: [/bin/sh, x] }\n',
    )
    const { body } = await upload('x.tar', await archive({ 'p/pipeline.yaml': yaml, 'p/model.onnx': model }))
    const checked = await send('POST', `/api/pipelines/uploads/${body.id}/check`, {})
    expect(checked.body).toMatchObject({ installable: false })
    await send('DELETE', `/api/pipelines/uploads/${body.id}`)
  })
})

it('shows the settings with what they are and where they come from, and no secret', async () => {
  const { body } = await send('GET', '/api/settings')
  const groups = body.settings as unknown as unknown[]
  const all = new Map<
    string,
    { value: unknown; origin: { kind: string } | null; kind: string; description: string | null }
  >()
  const visit = (one: unknown) => {
    const shown = setting.parse(one)
    all.set(shown.path, shown)
    for (const inner of shown.settings) visit(inner)
  }
  for (const group of groups) visit(group)
  expect(all.get('dataDir')).toMatchObject({ value: app.dataDir, origin: { kind: 'program' } })
  expect(all.get('dimse.port')).toMatchObject({
    value: 11_112,
    origin: { kind: 'default' },
    description: expect.stringContaining('TCP port'),
  })
  expect(all.get('destinations.pacs.auth.token')).toMatchObject({ kind: 'secret', value: 'set' })
  expect(all.get('admin.token')).toMatchObject({ kind: 'secret', value: 'not set' })
  expect(all.get('destinations.pacs.url')).toMatchObject({ value: 'https://(hidden)@pacs.example/dicom' })
  expect(JSON.stringify(body)).not.toContain('hidden-token')
})
