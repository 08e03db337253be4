import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import { recoverIncoming } from '../../src/receive/recovery.ts'
import { setAside } from '../../src/receive/set-aside.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { readJournal } from '../../src/store/journal.ts'
import { JournalWriter, journalFolder } from '../../src/store/journal-writer.ts'
import { keyOf } from '../../src/store/objects.ts'
import { instanceUID, receiveSmall, type SmallInstance } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

let store: TemporaryStore
let writer: JournalWriter
let closed: { journal: string; records: number }[] = []
/** What was acknowledged: the bytes by file name. */
let acknowledged: Map<string, Buffer>

beforeEach(async () => {
  store = await temporaryStore()
  mkdirSync(path.join(store.dataDir, 'arriving'))
  closed = []
  acknowledged = new Map()
  writer = await newWriter()
})
afterEach(async () => {
  await writer.close()
  await store.dispose()
})

async function newWriter(): Promise<JournalWriter> {
  const made = new JournalWriter({
    dataDir: store.dataDir,
    sync: true,
    onClosed: (journal, records) => closed.push({ journal, records }),
    onFailure: (error) => expect.fail(String(error)),
  })
  await made.ready()
  return made
}

/** As the receiving process: durable in a journal, and told. */
async function receive(small: Partial<SmallInstance> & { instance: number }): Promise<ReceivedInstance> {
  const arriving = path.join(store.dataDir, 'arriving')
  const instance = receiveSmall(arriving, { study: 1, series: 1, ...small })
  const bytes = readFileSync(path.join(arriving, instance.file))
  const journal = await writer.append({ file: instance.file, at: Date.parse(instance.at), parts: [bytes] })
  acknowledged.set(instance.file, bytes)
  return { ...instance, ...(journal && { journal }) }
}

/** Everything that a process had in memory is lost. */
function crash(): { objects: DiskObjects; indexer: Indexer } {
  const objects = new DiskObjects(store.dataDir)
  return {
    objects,
    indexer: new Indexer({ database: store.database, objects, incomingFolder: store.incoming, log: silentLog }),
  }
}

const recover = ({ objects, indexer } = crash()) =>
  recoverIncoming({
    incomingFolder: store.incoming,
    quarantineFolder: store.quarantine,
    database: store.database,
    objects,
    indexer,
    log: silentLog,
    journals: objects.journals.names(),
    deleteUnfinished: true,
  })

const journals = () => readdirSync(journalFolder(store.dataDir)).filter((name) => !name.endsWith('.spare'))
const objectPath = (file: string) => path.join(store.dataDir, 'objects', keyOf(file))
const journalPath = (instance: ReceivedInstance) =>
  path.join(journalFolder(store.dataDir), `${instance.journal?.journal}.journal`)

async function expectAllOnce(): Promise<void> {
  const keys = await store.database('instances').orderBy('object_key').pluck('object_key')
  expect(keys).toEqual([...acknowledged.keys()].map(keyOf).sort())
  for (const [file, bytes] of acknowledged) expect(readFileSync(objectPath(file)).equals(bytes)).toBe(true)
  expect(await store.database('replaced_instances')).toEqual([])
  expect([readdirSync(store.incoming), readdirSync(store.quarantine), journals()]).toEqual([[], [], []])
}

describe('instances in a journal', () => {
  it('are found as soon as they are indexed, and become files when nothing more comes', async () => {
    const instances = [await receive({ instance: 1 }), await receive({ instance: 2 }), await receive({ instance: 3 })]
    await store.indexer.index(instances.slice(0, 2))
    const key = keyOf(instances[0]?.file ?? '')
    expect(existsSync(objectPath(instances[0]?.file ?? ''))).toBe(false)
    expect(await store.objects.stat(key)).toEqual({ size: instances[0]?.size })
    expect(
      readFileSync(await store.objects.pathOf(key)).equals(acknowledged.get(instances[0]?.file ?? '') as Buffer),
    ).toBe(true)
    await writer.close()
    const journal = instances[0]?.journal?.journal ?? ''
    const settled = store.objects.journals.close(journal, 3)
    expect(journals()).toContain(`${journal}.journal`)
    await store.indexer.index(instances.slice(2))
    await settled
    await Promise.all(
      closed.filter(({ records }) => records === 0).map((other) => store.objects.journals.close(other.journal, 0)),
    )
    await expectAllOnce()
    expect(readdirSync(journalFolder(store.dataDir))).toContain(`${journal}.spare`)
    expect(store.objects.journals.sizeOf(instances[0]?.file ?? '')).toBeNull()
  })

  it('that are repeated leave nothing behind, whatever comes after them', async () => {
    await store.indexer.index([await receive({ instance: 1 })])
    const repeated = await receive({ instance: 1 })
    const newer = await receive({ instance: 1, content: 'newer' })
    await store.indexer.index([repeated])
    await store.indexer.index([newer])
    await writer.close()
    await recover()
    expect(await store.database('instances').pluck('object_key')).toEqual([keyOf(newer.file)])
    expect(existsSync(objectPath(repeated.file))).toBe(false)
    expect(await recover()).toMatchObject({ replayed: 0, indexed: 0 })
  })

  it('that were removed do not come back after a crash', async () => {
    const instances = [await receive({ instance: 1 }), await receive({ instance: 2 })]
    await store.indexer.index(instances)
    const gone = instances[0] as ReceivedInstance
    await store
      .database('instances')
      .where({ object_key: keyOf(gone.file) })
      .delete()
    await store.objects.remove(keyOf(gone.file))
    acknowledged.delete(gone.file)
    await writer.close()
    expect((await recover()).replayed).toBe(1)
    await expectAllOnce()
  })
})

describe('a crash', () => {
  /** What happens to three instances, one step after the other; the process may end behind each. */
  const steps: [string, (instances: ReceivedInstance[]) => Promise<void> | void][] = [
    ['the acknowledgement', () => {}],
    ['the index of some', async (instances) => void (await store.indexer.index(instances.slice(0, 2)))],
    [
      'the reading of one that is indexed',
      async ([first]) => void (await store.objects.pathOf(keyOf(first?.file ?? ''))),
    ],
    ['the index of all', async (instances) => void (await store.indexer.index(instances.slice(2)))],
    ['the first file', async ([, second]) => void (await store.objects.pathOf(keyOf(second?.file ?? '')))],
    [
      'a half written file',
      ([, , third]) => writeFileSync(path.join(journalFolder(store.dataDir), `${third?.file}.part`), 'half'),
    ],
    [
      'all files',
      async ([first]) => {
        const journal = journalPath(first as ReceivedInstance)
        copyFileSync(journal, `${journal}.copy`)
        await store.objects.journals.close(first?.journal?.journal ?? '', 3)
        // The last step, which makes the journal a spare one, has not been reached.
        renameSync(`${journal}.copy`, journal)
      },
    ],
    ['the end of the journal', ([first]) => rmSync(journalPath(first as ReceivedInstance))],
  ]

  it.each(steps.map(([name], last) => ({ name, last })))(
    'behind $name loses nothing and doubles nothing',
    async ({ last }) => {
      const instances = [await receive({ instance: 1 }), await receive({ instance: 2 }), await receive({ instance: 3 })]
      await writer.close()
      for (const [, act] of steps.slice(0, last + 1)) await act(instances)
      await recover()
      await expectAllOnce()
      expect(await recover()).toEqual({ deleted: 0, replayed: 0, moved: 0, indexed: 0, quarantined: 0, listed: 0 })
    },
  )

  it.each([0, 1, 2, 3])('in a repair, behind file %i of three, is repaired as well', async (done) => {
    const instances = [await receive({ instance: 1 }), await receive({ instance: 2 }), await receive({ instance: 3 })]
    await writer.close()
    await store.indexer.index(instances.slice(0, 1))
    const journal = journalPath(instances[0] as ReceivedInstance)
    renameSync(journal, journal.replace('.journal', '.replay'))
    for (const { file } of instances.slice(0, done))
      writeFileSync(path.join(store.incoming, file), acknowledged.get(file) as Buffer)
    expect((await recover()).replayed).toBe(3)
    await expectAllOnce()
  })

  it('while an instance is being written leaves nothing of it', async () => {
    const first = await receive({ instance: 1 })
    const torn = await receive({ instance: 2 })
    await writer.close()
    await overwrite(torn, torn.size - 9)
    acknowledged.delete(torn.file)
    expect(await recover()).toMatchObject({ replayed: 1, indexed: 1, quarantined: 0 })
    expect(first.file).toBe([...acknowledged.keys()][0])
    await expectAllOnce()
  })

  it('that damages what was acknowledged puts it into quarantine, with what is known', async () => {
    const damaged = await receive({ instance: 1 })
    await receive({ instance: 2 })
    await writer.close()
    await overwrite(damaged, 200)
    expect(await recover()).toMatchObject({ replayed: 1, indexed: 1, quarantined: 1 })
    const [row] = await store.database('quarantine')
    expect(row).toMatchObject({ file: damaged.file, code: 'damaged', size: damaged.size })
    expect(row.reason).toMatch(/whether it had been acknowledged is not known/)
    expect(readdirSync(store.quarantine)).toEqual([damaged.file])
  })

  it('of the receiving process alone is repaired while the next one receives', async () => {
    const lost = [await receive({ instance: 1 }), await receive({ instance: 2 })]
    await store.indexer.index(lost.slice(0, 1))
    const dead = store.objects.journals.names()
    const before = writer
    writer = await newWriter()
    const alive = await receive({ instance: 3 })
    await recoverIncoming({ ...ports(), journals: dead, deleteUnfinished: false })
    // What the dead process had told comes only now.
    await store.indexer.index([...lost.slice(1), alive])
    await before.close()
    expect(await store.database('instances').pluck('object_key')).toHaveLength(3)
    expect(existsSync(objectPath(lost[1]?.file ?? ''))).toBe(true)
    await writer.close()
    await store.objects.journals.close(alive.journal?.journal ?? '', 1)
    await recover()
    await expectAllOnce()
  })

  const ports = () => ({
    incomingFolder: store.incoming,
    quarantineFolder: store.quarantine,
    database: store.database,
    objects: store.objects,
    indexer: store.indexer,
    log: silentLog,
  })
})

describe('an instance that the database refuses for its values', () => {
  const refused = async (): Promise<ReceivedInstance> => ({
    ...(await receive({ instance: 9 })),
    sopClassUID: null as unknown as string,
  })

  it('goes to quarantine, and its journal does not wait for it', async () => {
    const instances = [await receive({ instance: 1 }), await refused(), await receive({ instance: 2 })]
    const { database, objects, incoming: incomingFolder, quarantine: quarantineFolder } = store
    const indexWriter = new IndexWriter({
      indexer: store.indexer,
      log: silentLog,
      setAside: async (instance, error) =>
        void (await setAside(instance, error, { database, objects, incomingFolder, quarantineFolder })),
    })
    await expect(indexWriter.add(instances)).rejects.toThrow(/NOT NULL/)
    expect(indexWriter.pending).toBe(0)
    const file = instances[1]?.file ?? ''
    expect(readFileSync(path.join(store.quarantine, file)).equals(acknowledged.get(file) as Buffer)).toBe(true)
    expect(await store.database('quarantine').first()).toMatchObject({ file, code: 'not-indexable' })
    await writer.close()
    await objects.journals.close(instances[0]?.journal?.journal ?? '', 3)
    expect(await database('instances').pluck('sop_instance_uid')).toEqual([instanceUID(1), instanceUID(2)])
    expect(existsSync(objectPath(file))).toBe(false)
    await recover()
    expect(await database('instances').pluck('sop_instance_uid')).toHaveLength(2)
    await indexWriter.stop()
  })

  it('does not keep the node from starting', async () => {
    await receive({ instance: 1 })
    await receive({ instance: 2 })
    await writer.close()
    const { objects, indexer } = crash()
    const picky = {
      index: (batch: readonly ReceivedInstance[]) =>
        indexer.index(
          batch.map((one) =>
            one.sopInstanceUID === instanceUID(2) ? { ...one, sopClassUID: null as unknown as string } : one,
          ),
        ),
    }
    expect(await recover({ objects, indexer: picky as Indexer })).toMatchObject({ indexed: 1, quarantined: 1 })
    expect(readdirSync(store.incoming)).toEqual([])
    expect(readdirSync(store.quarantine)).toHaveLength(1)
  })
})

/** Writes over the end of an instance's bytes in its journal, from an offset on. */
async function overwrite(instance: ReceivedInstance, from: number): Promise<void> {
  const handle = await open(journalPath(instance), 'r+')
  try {
    for await (const record of readJournal(handle))
      if (record.file === instance.file) await handle.write(Buffer.alloc(9, 0x5a), 0, 9, record.offset + from)
  } finally {
    await handle.close()
  }
}
