import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import type { IndexedBatch } from '../../src/receive/indexer.ts'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import { instanceUID, receiveSmall } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

describe('the index writer', () => {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await temporaryStore()
  })
  afterEach(() => store.dispose())

  const receive = (count: number, from = 1) =>
    Array.from({ length: count }, (_, i) => receiveSmall(store.incoming, { study: 1, series: 1, instance: from + i }))
  const count = async () => Number((await store.database('instances').count('* as n'))[0]?.n)

  it('writes what several callers add in few batches, and answers each caller after the commit', async () => {
    const batches: IndexedBatch[] = []
    const writer = new IndexWriter({
      indexer: store.indexer,
      log: silentLog,
      batchSize: 50,
      onIndexed: (batch) => batches.push(batch),
    })
    await Promise.all(Array.from({ length: 10 }, (_, i) => writer.add(receive(12, 1 + 12 * i))))
    expect(await count()).toBe(120)
    expect(batches.length).toBeLessThanOrEqual(4)
    expect(batches.reduce((sum, batch) => sum + batch.counts.new, 0)).toBe(120)
    expect(writer.pending).toBe(0)
  })

  it('is drained when everything that was added before is indexed', async () => {
    const writer = new IndexWriter({ indexer: store.indexer, log: silentLog, batchSize: 7 })
    void writer.add(receive(30))
    await writer.drained()
    expect(await count()).toBe(30)
  })

  it('indexes the others when the database refuses the values of one', async () => {
    const instances = receive(9)
    const bad = { ...(instances[4] as ReceivedInstance), sopClassUID: null as unknown as string }
    instances[4] = bad
    const writer = new IndexWriter({ indexer: store.indexer, log: silentLog })
    await expect(writer.add(instances)).rejects.toThrow(/NOT NULL/)
    expect(await count()).toBe(8)
    expect(await store.database('instances').pluck('sop_instance_uid')).not.toContain(instanceUID(5))
    expect(writer.pending).toBe(1)
    await writer.stop()
  })

  it('tries again what could not be indexed, and says so to its caller at once', async () => {
    let broken = true
    const retried: number[] = []
    const indexer = {
      index: async (batch: readonly ReceivedInstance[]) => {
        if (broken) throw new Error('the disk is full')
        retried.push(batch.length)
        return await store.indexer.index(batch)
      },
    }
    const indexed = deferred()
    const writer = new IndexWriter({ indexer, log: silentLog, retryMs: 5, onIndexed: () => indexed.resolve(undefined) })
    await expect(writer.add(receive(3))).rejects.toThrow('the disk is full')
    broken = false
    await indexed.promise
    expect(retried).toEqual([3])
    expect(await count()).toBe(3)
    await writer.stop()
  })
})

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise<unknown>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
