import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity, sampleFile } from '../view/sample-file.ts'
import { RunningApp } from './running-app.ts'

const app = new RunningApp()

beforeAll(() => app.start())
afterAll(() => app.stop())

let count = 0

/** Puts bytes into quarantine; returns their id. */
async function put(bytes: Buffer | string, row: object = {}): Promise<number> {
  const file = `abcd${count++}.dcm`
  writeFileSync(path.join(app.dataDir, 'quarantine', file), bytes)
  const at = '2026-11-21T12:00:00.000Z'
  const reason = { code: 'truncated-data-set', reason: 'it ends early', via: 'stow-rs', sender: 'STOW-RS@10.0.0.5' }
  const [inserted] = await app
    .knex('quarantine')
    .insert({ at, ...reason, file, size: bytes.length, ...row })
    .returning('id')
  return inserted.id
}

const good = (instance: string) => sampleFile(identity({ instance }))

async function post(where: string, body: object = {}, token?: string): Promise<[number, Record<string, unknown>]> {
  const answer = await app.post(where, body, token === undefined ? {} : { token })
  return [answer.status, (await answer.json()) as Record<string, unknown>]
}

describe('the quarantine in the API', () => {
  it('takes an object in again, or says why not', async () => {
    const [right, wrong] = [await put(good('1.2.3.1.1')), await put('noise')]
    expect(await post(`/api/quarantine/${right}/reingest`)).toEqual([
      200,
      { studyInstanceUID: '1.2.3', seriesInstanceUID: '1.2.3.1', sopInstanceUID: '1.2.3.1.1' },
    ])
    expect(await post(`/api/quarantine/${wrong}/reingest`)).toMatchObject([409, { code: 'still-refused' }])
    expect(await post(`/api/quarantine/${wrong}/reingest`, { accept: true })).toMatchObject([
      409,
      { code: 'not-acceptable-reason' },
    ])
    expect(await post('/api/quarantine/99999/reingest')).toMatchObject([404, { code: 'not-found' }])
    expect(await app.knex('instances').pluck('sop_instance_uid')).toEqual(['1.2.3.1.1'])
    const listed = (await (await app.fetch('/api/quarantine?state=reingested')).json()) as { objects: object[] }
    expect(listed.objects).toMatchObject([{ id: right, storedInstanceUID: '1.2.3.1.1', stateBy: 'token:bootstrap' }])
  })

  it('discards an object for good, and still lists that it was there', async () => {
    const id = await put('noise', { via: 'folder', sender: 'CDROM@folder' })
    expect(await post(`/api/quarantine/${id}/discard`)).toEqual([200, { id, state: 'discarded' }])
    expect((await app.fetch(`/api/quarantine/${id}/file`)).status).toBe(410)
    expect(existsSync(path.join(app.dataDir, 'quarantine', `abcd${count - 1}.dcm`))).toBe(false)
    const of = async (query: string) =>
      ((await (await app.fetch(`/api/quarantine?${query}`)).json()) as { objects: { id: number }[] }).objects.map(
        (one) => one.id,
      )
    expect(await of('via=folder')).toEqual([])
    expect(await of('via=folder&state=all')).toEqual([id])
    expect(await of('sender=CDROM&state=discarded')).toEqual([id])
    expect(await of('from=2026-11-22T00:00:00Z&state=all')).toEqual([])
    expect((await app.fetch('/api/quarantine?state=gone')).status).toBe(400)
  })

  it('does the same to many, and records each in the audit', async () => {
    const ids = [await put(good('1.2.3.1.2')), await put('noise'), 99_998]
    expect(await post('/api/quarantine/reingest', { ids })).toMatchObject([
      200,
      {
        done: 1,
        results: [
          { id: ids[0], ok: true, code: null },
          { id: ids[1], ok: false, code: 'still-refused', sentence: expect.stringContaining('not-part10') },
          { id: ids[2], ok: false, code: 'not-found' },
        ],
      },
    ])
    expect(await post('/api/quarantine/discard', { ids: [ids[1], ids[1]] })).toMatchObject([200, { done: 1 }])
    expect((await app.post('/api/quarantine/discard', { ids: [] })).status).toBe(400)
    const audit = await app.knex('audit').whereIn('subject', ids.map(String)).orderBy('id')
    expect(audit.map(({ action, subject, outcome }) => [action, Number(subject), outcome])).toEqual([
      ['quarantine-reingest', ids[0], 'success'],
      ['quarantine-reingest', ids[1], 'failure'],
      ['quarantine-reingest', ids[2], 'failure'],
      ['quarantine-discard', ids[1], 'success'],
    ])
  })

  it('is for operators only', async () => {
    const { token } = await app.auth.credentials.createToken({ name: 'looker', role: 'viewer', expiresAt: null })
    const id = await put('noise')
    for (const where of ['/api/quarantine', `/api/quarantine/${id}/file`])
      expect((await app.fetch(where, { token })).status, where).toBe(403)
    for (const where of [`/api/quarantine/${id}/reingest`, `/api/quarantine/${id}/discard`, '/api/quarantine/discard'])
      expect((await post(where, { ids: [id] }, token))[0], where).toBe(403)
    expect((await app.fetch('/api/folders', { token })).status).toBe(200)
  })
})
