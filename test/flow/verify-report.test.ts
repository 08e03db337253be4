import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { itemsOf, textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import type { EncodedObject } from '../../src/encode/encoded.ts'
import { type Acceptance, type VerifyReportOptions, verifyReport } from '../../src/flow/verify-report.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { giveFeedback } from '../../src/store/feedback.ts'
import { lungResults } from '../encode/lung-results.ts'
import { bytesOf, syntheticInput } from '../encode/synthetic.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

const at = '2026-11-21T12:00:00.000Z'
let objects: EncodedObject[]
const uidOf = (role: string) => objects.find((object) => object.role === role)?.sopInstanceUID ?? ''

let store: TemporaryStore
let queued: number
let options: VerifyReportOptions

beforeEach(async () => {
  store = await temporaryStore()
  queued = 0
  objects = [...lungResults(syntheticInput())]
  const { database, dataDir } = store
  options = {
    database,
    objects: store.objects,
    queue: new JobQueue({ database }),
    workFolder: path.join(dataDir, 'work'),
    organisation: { setting: '', otherwise: 'HILUM' },
    onQueued: () => void queued++,
  }
  const study = { study_instance_uid: '1.2.3', state: 'done', revision: 1, created_at: at, updated_at: at }
  const header = JSON.stringify({ '00080080': { vr: 'LO', Value: ['St. Elsewhere'] } })
  await database('studies').insert({ id: 1, ...study, header, last_instance_at: at, changed: 0 })
  const revision = {
    id: 1,
    study_id: 1,
    number: 1,
    completed_at: at,
    reason: 'x',
    instances: 1,
    members: '{}',
    routed: 1,
  }
  await database('revisions').insert(revision)
  await database('decisions').insert({
    study_id: 1,
    revision_id: 1,
    route: 'lung',
    route_version: 2,
    matched: 1,
    expression: '',
    because: '{}',
    series: '{}',
    reason: '',
    at,
  })
  for (const [version, definition] of [
    [1, {}],
    [2, { onAccept: 'verified-sr' }],
    [3, {}],
  ] as const)
    await database('routes').insert({
      name: 'lung',
      version,
      active: version === 3 ? 1 : 0,
      position: 1,
      definition: JSON.stringify(definition),
      created_at: at,
    })
  await database('jobs').insert({
    id: 'j',
    kind: 'infer',
    study_id: 1,
    revision_id: 1,
    route: 'lung',
    pipeline: 'p@sha256:0',
    state: 'done',
    payload: JSON.stringify({ inputs: {}, destinations: ['pacs', 'self'] }),
    run_after: at,
    created_at: at,
  })
  mkdirSync(path.join(dataDir, 'results'), { recursive: true })
  for (const object of objects) {
    const bytes = bytesOf(object)
    const file = path.join(dataDir, 'one.dcm')
    writeFileSync(file, bytes)
    const { role, sopInstanceUID, sopClassUID, seriesInstanceUID, modality } = object
    await store.objects.put(`results/${sopInstanceUID}.dcm`, file)
    await database('results').insert({
      job_id: 'j',
      study_id: 1,
      revision_id: 1,
      pipeline: 'p@sha256:0',
      role,
      sop_instance_uid: sopInstanceUID,
      sop_class_uid: sopClassUID,
      series_instance_uid: seriesInstanceUID,
      modality,
      object_key: `results/${sopInstanceUID}.dcm`,
      size: bytes.length,
      sha256: 'ab'.repeat(32),
      created_at: at,
    })
  }
})
afterEach(() => store.dispose())

const acceptance = (role: string, name = 'Roe^Jane'): Acceptance => ({
  sopInstanceUID: uidOf(role),
  observer: { name, identification: { value: 'jroe', scheme: '99X', meaning: 'Jane Roe' } },
  by: 'user:jroe',
  at: '2026-11-21T13:30:00.500Z',
})

async function accept(of: Acceptance): Promise<string | null> {
  const verified = await verifyReport(of, options)
  const said = { verdict: 'accepted', reason: null, correctedSOPInstanceUID: null, givenBy: of.by, at: of.at } as const
  await giveFeedback(store.database, { ...said, sopInstanceUID: of.sopInstanceUID }, async (trx, kept) => {
    await verified?.commit(trx)
    return kept
  })
  return verified?.sopInstanceUID ?? null
}

it('an accepted report is written anew as verified, stored, and delivered where the route delivers', async () => {
  const uid = await accept(acceptance('planar'))
  const { database } = store
  const row = await database('results').where({ sop_instance_uid: uid }).first()
  expect(row).toMatchObject({ role: 'verified-planar', modality: 'SR', job_id: 'j' })
  const { elements } = await readInstanceFile(await store.objects.pathOf(row.object_key))
  const original = (await readInstanceFile(await store.objects.pathOf(`results/${uidOf('planar')}.dcm`))).elements
  expect(textOf(elements, 'VerificationFlag')).toBe('VERIFIED')
  expect(textOf(elements, 'PreliminaryFlag')).toBe('FINAL')
  const [observer = {}, ...others] = itemsOf(elements, 'VerifyingObserverSequence')
  expect(others).toEqual([])
  expect(textOf(observer, 'VerifyingObserverName')).toBe('Roe^Jane')
  expect(textOf(observer, 'VerifyingOrganization')).toBe('St. Elsewhere')
  expect(textOf(observer, 'VerificationDateTime')).toMatch(/^2026112\d{7}\.500$/)
  const [code = {}] = itemsOf(observer, 'VerifyingObserverIdentificationCodeSequence')
  expect(textOf(code, 'CodeValue')).toBe('jroe')
  const predecessor = itemsOf(
    itemsOf(itemsOf(elements, 'PredecessorDocumentsSequence')[0] ?? {}, 'ReferencedSeriesSequence')[0] ?? {},
    'ReferencedSOPSequence',
  )
  expect(predecessor.map((item) => textOf(item, 'ReferencedSOPInstanceUID'))).toEqual([uidOf('planar')])
  expect(elements['0040A730']).toEqual(original['0040A730'])
  for (const keyword of ['SOPInstanceUID', 'SeriesInstanceUID', 'SeriesNumber'])
    expect(textOf(elements, keyword), keyword).not.toBe(textOf(original, keyword))
  const jobs = await database('jobs').where({ kind: 'deliver' }).orderBy('destination').select('destination', 'payload')
  expect(jobs.map(({ destination, payload }) => [destination, JSON.parse(payload).resultIds])).toEqual([
    ['pacs', [row.id]],
    ['self', [row.id]],
  ])
  expect(await database('deliveries').pluck('state')).toEqual(['pending', 'pending'])
  expect(await database('study_events').where({ kind: 'verified' }).pluck('sentence')).toEqual([
    'the report planar is verified by user:jroe',
  ])
})

it('accepting again makes no other; another person makes one of their own; an image stands for the first report', async () => {
  const first = await accept(acceptance('measurements'))
  expect(await accept({ ...acceptance('measurements'), at })).toBe(first)
  expect(await accept(acceptance('segmentation'))).toBe(first)
  expect(await accept(acceptance('measurements', 'Doe^John'))).not.toBe(first)
  expect(await store.database('results').where('role', 'like', 'verified-%').pluck('role')).toEqual([
    'verified-measurements',
    'verified-measurements',
  ])
  expect(await verifyReport({ ...acceptance('planar'), sopInstanceUID: first ?? '' }, options)).toBeNull()
})

it('nothing is written where the route of the study did not say so', async () => {
  await store.database('decisions').update({ route_version: 3 })
  expect(await verifyReport(acceptance('planar'), options)).toBeNull()
  await store.database('decisions').update({ route_version: 2 })
  await store.database('jobs').update({ route: null })
  expect(await verifyReport(acceptance('planar'), options)).toBeNull()
})
