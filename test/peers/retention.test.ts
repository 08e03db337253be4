import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDestinations, type Destinations } from '../../src/deliver/destinations.ts'
import { Retention } from '../../src/flow/retention.ts'
import { silentLog } from '../../src/log.ts'
import { addRevision } from '../receive/index-contents.ts'
import { type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { available } from '../support/programs.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

const rule = {
  name: 'stored-in-the-pacs',
  schedule: '30 2 * * *',
  olderThanDays: 30,
  states: ['done' as const],
  verifiedAt: [],
  storedAt: ['pacs'],
  belowFree: 0,
}

describe.skipIf(!available('Orthanc', '/usr/share/orthanc/plugins/libOrthancDicomWeb.so'))(
  'retention, with Orthanc',
  () => {
    let orthanc: OrthancProcess
    let store: TemporaryStore
    let destinations: Destinations

    beforeAll(async () => {
      orthanc = await startOrthanc({ user: 'hilum', password: 'secret' })
    })
    afterAll(() => orthanc?.dispose())
    beforeEach(async () => {
      store = await temporaryStore()
      const auth = { kind: 'basic' as const, username: 'hilum', password: 'secret' }
      destinations = createDestinations(
        { pacs: { url: `${orthanc.url}/dicom-web`, auth } },
        { url: 'http://127.0.0.1:1', token: '' },
      )
    })
    afterEach(async () => {
      await destinations.close()
      await store.dispose()
    })

    /** A study of more instances than one page of QIDO-RS tells, that is done. */
    async function addStudy(instances: number) {
      const received = Array.from({ length: instances }, (_, n) =>
        receiveSmall(store.incoming, { study: 1, series: 1 + (n % 3), instance: n, at: '2026-01-01T00:00:00.000Z' }),
      )
      const objects = received.map(({ file, sopInstanceUID }) => ({
        path: path.join(store.incoming, file),
        sopInstanceUID,
      }))
      const send = () => destinations.get('pacs')?.store(objects.splice(0))
      await store.indexer.index(received)
      const rows: { sop_instance_uid: string; object_key: string }[] = await store
        .database('instances')
        .select('sop_instance_uid', 'object_key')
      for (const object of objects) {
        const row = rows.find(({ sop_instance_uid }) => sop_instance_uid === object.sopInstanceUID)
        object.path = await store.objects.pathOf(row?.object_key ?? '')
      }
      const { id } = await store.database('studies').first('id')
      await addRevision(store.database, id)
      await store.database('studies').update({ state: 'done' })
      return { objects, send }
    }

    it('keeps a study until every instance is there, and then deletes it', async () => {
      const study = await addStudy(620)
      const [last] = study.objects.splice(-1)
      const retention = new Retention({
        rules: [rule],
        database: store.database,
        objects: store.objects,
        destinations,
        own: { host: '127.0.0.1', port: 8080 },
        free: () => 0,
        log: silentLog,
      })
      const run = async () => (await retention.run({ dryRun: false, actor: 'test' }))[0]
      expect(await run()).toMatchObject({
        deleted: 0,
        outcomes: [{ reason: 'pacs does not list 620 of 620 instances' }],
      })
      await study.send()
      expect(await run()).toMatchObject({ deleted: 0, outcomes: [{ reason: 'pacs does not list 1 of 620 instances' }] })
      if (last) study.objects.push(last)
      await study.send()
      expect(await run()).toMatchObject({ deleted: 1, outcomes: [{ studyInstanceUID: studyUID(1), deleted: true }] })
      expect(await store.database('instances').pluck('id')).toEqual([])
    })

    it('keeps everything while the archive is gone', async () => {
      await addStudy(2)
      await orthanc.stop()
      const ports = {
        database: store.database,
        objects: store.objects,
        destinations,
        own: { host: '127.0.0.1', port: 8080 },
        free: () => 0,
        log: silentLog,
      }
      const [run] = await new Retention({ rules: [rule], ...ports }).run({ dryRun: false, actor: 'test' })
      expect(run).toMatchObject({ deleted: 0, outcomes: [{ reason: expect.stringContaining('pacs cannot be asked') }] })
    })
  },
)
