import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keepExports } from '../../src/flow/keep-exports.ts'
import type { WrittenFile } from '../../src/infer/task.ts'
import type { Job } from '../../src/jobs/job.ts'
import { silentLog } from '../../src/log.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import { deleteStudy, removeDeletedObjects } from '../../src/store/delete-study.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { addRevision } from '../receive/index-contents.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import { RunningApp } from './running-app.ts'

let app: RunningApp
let objects: DiskObjects
let job: Job
const outFolder = mkdtempSync(path.join(tmpdir(), 'hilum-exports-'))
const at = '2026-11-21T12:00:00.000Z'

beforeAll(async () => {
  app = await new RunningApp().start()
  objects = new DiskObjects(app.dataDir)
  const incoming = new IncomingFolder({ dataDir: app.dataDir, sync: false, minimumFreeBytes: 0 })
  const indexer = new Indexer({ database: app.knex, objects, incomingFolder: incoming.folder, log: silentLog })
  await indexer.index([receiveSmall(incoming.folder, { study: 1, series: 1, instance: 1 })])
  const { id: studyId } = await app.knex('studies').first('id')
  const revisionId = await addRevision(app.knex, studyId)
  job = { id: '2.25.1', studyId, revisionId } as Job
  await app.knex('jobs').insert({
    id: job.id,
    kind: 'infer',
    study_id: studyId,
    revision_id: revisionId,
    route: 'lung',
    state: 'done',
    payload: '{}',
    run_after: at,
    created_at: at,
  })
})
afterAll(async () => {
  await app.stop()
  rmSync(outFolder, { recursive: true, force: true })
})

async function keep(...contents: string[]): Promise<WrittenFile[]> {
  const files = contents.map((content, n): WrittenFile => {
    const file = `labels-${n + 1}.nii.gz`
    writeFileSync(path.join(outFolder, file), content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    return {
      role: `nifti-${n + 1}`,
      output: 'nifti',
      file,
      mediaType: 'application/gzip',
      size: content.length,
      sha256,
    }
  })
  const kept = await keepExports(files, { job, outFolder, objects })
  await app.knex.transaction((trx) => kept.insert(trx, { job, pipeline: 'p@sha256:0', at }))
  return files
}

async function listed(uid = studyUID(1)) {
  const answer = await app.fetch(`/api/studies/${uid}/exports`)
  const body = (await answer.json()) as { exports: { id: number; name: string; sha256: string }[] }
  return { status: answer.status, exports: body.exports }
}

it('are listed with their study, and downloaded byte for byte; a repeated job replaces its own', async () => {
  await keep('an earlier run', 'of the same job')
  const [file] = await keep('all the labels')
  expect(await listed()).toEqual({
    status: 200,
    exports: [
      {
        id: expect.any(Number),
        name: 'labels-1.nii.gz',
        mediaType: 'application/gzip',
        size: 14,
        sha256: file?.sha256,
        output: 'nifti',
        pipeline: 'p@sha256:0',
        route: 'lung',
        revision: 1,
        createdAt: at,
      },
    ],
  })
  const { id } = (await listed()).exports[0] ?? { id: 0 }
  const answer = await app.fetch(`/api/exports/${id}`)
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="labels-1.nii.gz"')
  expect(await answer.text()).toBe('all the labels')
})

it('are for nobody who is not logged in, and of no study that is not known', async () => {
  expect((await app.fetch(`/api/studies/${studyUID(1)}/exports`, { token: null })).status).toBe(401)
  expect((await app.fetch('/api/exports/1', { token: null })).status).toBe(401)
  expect((await listed('1.2.3.99')).status).toBe(404)
  expect((await app.fetch('/api/exports/999')).status).toBe(404)
})

it('go with their study', async () => {
  const [file] = await keep('all the labels')
  const key = `results/${job.id}-${file?.sha256.slice(0, 12)}-labels-1.nii.gz`
  const stored = await objects.pathOf(key)
  expect(existsSync(stored)).toBe(true)
  const { last_instance_at } = await app.knex('studies').first('last_instance_at')
  const seen = { id: job.studyId, studyInstanceUID: studyUID(1), revision: 1, lastInstanceAt: last_instance_at }
  const reason = { rule: 'test', proof: 'for a test', actor: 'test', at }
  const deletion = await deleteStudy(app.knex, { ...seen, instances: 1, results: 0 }, reason)
  expect(deletion?.bytes).toBeGreaterThan('all the labels'.length)
  await removeDeletedObjects(app.knex, objects, silentLog)
  expect(existsSync(stored)).toBe(false)
  expect(await app.knex('exports').select()).toEqual([])
})
