import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import { keyOf } from '../../src/store/objects.ts'
import { instanceUID, receiveSmall, type SmallInstance, seriesUID, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { addOwnResult, indexOf } from './index-contents.ts'

/** What the indexer promises, on any database. */
export function indexerCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.dispose())

  const receive = (small: SmallInstance, options?: { header?: boolean }) => receiveSmall(store.incoming, small, options)
  const index = (...batch: ReceivedInstance[]) => store.indexer.index(batch)
  const study = (n: number) =>
    store
      .database('studies')
      .where({ study_instance_uid: studyUID(n) })
      .first()

  it('writes studies, series, instances and arrivals, and moves the files', async () => {
    const batch = [1, 2, 3].map((instance) => receive({ study: 1, series: instance === 3 ? 2 : 1, instance }))
    const indexed = await index(...batch)
    expect(indexed.counts).toEqual({ new: 3, known: 0, identical: 0, different: 0 })
    expect(indexed.studies).toMatchObject([
      { studyInstanceUID: studyUID(1), changed: true, associations: ['association-1'] },
    ])
    expect(await study(1)).toMatchObject({
      patient_name: 'Phantom^Small',
      patient_id: 'P1',
      study_date: '20261121',
      state: 'receiving',
      changed: 1,
      source_instances: 3,
      revision: 0,
      last_instance_at: '2026-11-21T12:00:00.000Z',
    })
    const series = await store.database('series').orderBy('id')
    expect(series.map((row) => [row.series_instance_uid, row.modality, row.instances, row.origin])).toEqual([
      [seriesUID(1, 1), 'CT', 2, 'source'],
      [seriesUID(1, 2), 'CT', 1, 'source'],
    ])
    const arrivals = await store.database('arrivals').orderBy('id')
    expect(arrivals.map((row) => [row.sender, row.instances])).toEqual([
      ['CT1@10.0.0.5', 2],
      ['CT1@10.0.0.5', 1],
    ])
    expect(readdirSync(store.incoming)).toEqual([])
    for (const { file } of batch) expect(existsSync(path.join(store.dataDir, 'objects', keyOf(file)))).toBe(true)
  })

  it('reads the header from the file where the receiver gives none', async () => {
    await index(receive({ study: 1, series: 1, instance: 1, patientName: 'From^File' }, { header: false }))
    expect(await study(1)).toMatchObject({ patient_name: 'From^File' })
    const header = JSON.parse((await store.database('series').first()).header)
    expect(header['00280010']).toEqual({ vr: 'US', Value: [2] })
    expect(Object.keys(header).filter((tag) => tag.startsWith('7FE0'))).toEqual([])
  })

  it('changes nothing when the same data set comes again, and deletes the new file, whatever its file meta says', async () => {
    await index(receive({ study: 1, series: 1, instance: 1 }))
    await store.database('studies').update({ changed: 0, state: 'done' })
    const before = await study(1)
    const again = receive({
      study: 1,
      series: 1,
      instance: 1,
      association: 'association-2',
      sourceAETitle: 'OTHER',
      at: '2026-11-21T13:00:00.000Z',
    })
    const indexed = await index(again)
    expect(indexed).toMatchObject({ counts: { new: 0, identical: 1, different: 0 }, studies: [{ changed: false }] })
    expect(await study(1)).toEqual(before)
    expect(readdirSync(store.incoming)).toEqual([])
    expect(await store.database('arrivals').where({ association: 'association-2' }).first()).toMatchObject({
      instances: 0,
      identical: 1,
      replaced: 0,
    })
    expect(await store.database('study_events')).toEqual([])
  })

  it('keeps the newer of two with different bytes, the older aside, and says so', async () => {
    const first = receive({ study: 1, series: 1, instance: 1, content: 'first' })
    await index(first)
    await store.database('studies').update({ changed: 0, state: 'done', released_at: '2026-11-21T12:01:00.000Z' })
    const second = receive({
      study: 1,
      series: 1,
      instance: 1,
      content: 'second',
      patientName: 'Corrected^Name',
      at: '2026-11-21T13:00:00.000Z',
    })
    const indexed = await index(second)
    expect(indexed).toMatchObject({ counts: { new: 0, different: 1 }, studies: [{ changed: true }] })
    expect((await store.database('instances').first()).object_key).toBe(keyOf(second.file))
    expect(await store.database('replaced_instances').first()).toMatchObject({
      object_key: keyOf(first.file),
      sop_instance_uid: instanceUID(1),
    })
    expect(await store.objects.stat(keyOf(first.file))).not.toBeNull()
    expect(await study(1)).toMatchObject({
      changed: 1,
      state: 'receiving',
      released_at: null,
      source_instances: 1,
      last_instance_at: '2026-11-21T13:00:00.000Z',
      patient_name: 'Corrected^Name',
    })
    await index(receive({ study: 1, series: 1, instance: 1, content: 'third' }))
    const events = await store.database('study_events')
    expect(events.map((row) => row.sentence)).toEqual([
      '2 instances came again with different content: the newer is kept, the older is kept aside',
    ])
  })

  it('moves an instance that comes again under another study', async () => {
    await index(receive({ study: 1, series: 1, instance: 1 }), receive({ study: 1, series: 1, instance: 2 }))
    await store.database('studies').update({ changed: 0, state: 'done' })
    await index(receive({ study: 2, series: 1, instance: 1 }))
    expect(await study(1)).toMatchObject({ source_instances: 1, changed: 1, state: 'receiving' })
    expect(await study(2)).toMatchObject({ source_instances: 1, changed: 1 })
    const counts = await store.database('series').orderBy('id').pluck('instances')
    expect(counts).toEqual([1, 1])
    const [event] = await store.database('study_events')
    expect(event.sentence).toContain('1 of them in another study')
  })

  it('does not count our own results as source content', async () => {
    await index(receive({ study: 1, series: 1, instance: 1 }))
    await addOwnResult(store.database, instanceUID(50))
    await store.database('studies').update({ changed: 0, state: 'done' })
    const before = await study(1)
    const indexed = await index(receive({ study: 1, series: 9, instance: 50, at: '2026-11-21T15:00:00.000Z' }))
    expect(indexed.studies).toMatchObject([{ changed: false }])
    expect(await study(1)).toEqual(before)
    expect(
      await store
        .database('instances')
        .where({ sop_instance_uid: instanceUID(50) })
        .first(),
    ).toMatchObject({ origin: 'result' })
    expect(
      await store
        .database('series')
        .where({ series_instance_uid: seriesUID(1, 9) })
        .first(),
    ).toMatchObject({ origin: 'result', instances: 1 })
  })

  it('takes one UID several times in one batch, in the order of arrival', async () => {
    const batch = ['a', 'a', 'b', 'b'].map((content) => receive({ study: 1, series: 1, instance: 1, content }))
    const indexed = await index(...batch)
    expect(indexed.counts).toEqual({ new: 1, known: 0, identical: 2, different: 1 })
    expect(await study(1)).toMatchObject({ source_instances: 1 })
    expect((await store.database('instances').first()).object_key).toBe(keyOf(batch[2]?.file ?? ''))
  })

  it('takes a batch that was indexed before as known, and counts nothing twice', async () => {
    const batch = [receive({ study: 1, series: 1, instance: 1 }), receive({ study: 1, series: 1, instance: 2 })]
    await index(...batch)
    const before = await indexOf(store.database)
    expect((await index(...batch)).counts).toEqual({ new: 0, known: 2, identical: 0, different: 0 })
    expect(await indexOf(store.database)).toEqual(before)
  })

  it('takes a repeated instance as known when its file was deleted before, and never replaces what is there by nothing', async () => {
    const [first, again] = [
      receive({ study: 1, series: 1, instance: 1 }),
      receive({ study: 1, series: 1, instance: 1 }),
    ]
    await index(first, again)
    expect((await index(first, again)).counts).toEqual({ new: 0, known: 2, identical: 0, different: 0 })
    expect((await store.database('instances').first()).object_key).toBe(keyOf(first.file))
    expect(await store.database('replaced_instances')).toEqual([])
  })

  it('does calls that overlap one after the other', async () => {
    const contents = ['a', 'b', 'b', 'c']
    const batches = contents.map((content) => receive({ study: 1, series: 1, instance: 1, content }))
    const counts = (await Promise.all(batches.map((instance) => index(instance)))).map((batch) => batch.counts)
    expect(counts.map((c) => [c.new, c.identical, c.different])).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 0, 1],
    ])
    expect((await store.database('instances').first()).object_key).toBe(keyOf(batches[3]?.file ?? ''))
  })

  it('keeps one series UID in two studies apart', async () => {
    const first = receive({ study: 1, series: 1, instance: 1 })
    const second = {
      ...receive({ study: 2, series: 1, instance: 2 }, { header: false }),
      seriesInstanceUID: first.seriesInstanceUID,
    }
    await index(first, second)
    expect(await store.database('series').pluck('series_instance_uid')).toEqual([seriesUID(1, 1), seriesUID(1, 1)])
    expect(await study(1)).toMatchObject({ source_instances: 1 })
    expect(await study(2)).toMatchObject({ source_instances: 1 })
  })

  it('makes the same index of any order, division and duplication of the same instances', async () => {
    const instances = Array.from({ length: 8 }, (_, i) => ({
      study: 1 + (i % 2),
      series: 1 + (i % 3),
      instance: i + 1,
    }))
    const expected = await indexedBy(instances.map((small) => [small]))
    const order = fc.shuffledSubarray([...instances, ...instances.slice(0, 4)], { minLength: 12, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        order,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 12, maxLength: 12 }),
        async (sent, sizes) => {
          const batches: SmallInstance[][] = []
          for (let at = 0; at < sent.length; at += sizes[batches.length - 1] ?? 1)
            batches.push(sent.slice(at, at + (sizes[batches.length] ?? 1)))
          expect(await indexedBy(batches)).toEqual(expected)
        },
      ),
      { numRuns: 20 },
    )
  })

  async function indexedBy(batches: SmallInstance[][]) {
    await store.database('studies').del()
    for (const batch of batches) await index(...batch.map((small) => receive(small)))
    expect(readdirSync(store.incoming)).toEqual([])
    return await indexOf(store.database)
  }
}
