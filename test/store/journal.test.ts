import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blockLength, type JournalPlace, journalLength, type ReadRecord, readJournal } from '../../src/store/journal.ts'
import { JournalWriter, journalFolder } from '../../src/store/journal-writer.ts'

let dataDir = ''
let closed: { journal: string; records: number }[] = []
let writers: JournalWriter[] = []
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-journal-'))
  closed = []
  writers = []
})
afterEach(async () => {
  for (const writer of writers) await writer.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function writerOf(options: { sync?: boolean } = {}): Promise<JournalWriter> {
  const writer = new JournalWriter({
    dataDir,
    sync: true,
    onClosed: (journal, records) => closed.push({ journal, records }),
    onFailure: (error) => expect.fail(String(error)),
    ...options,
  })
  writers.push(writer)
  await writer.ready()
  return writer
}

const nameOf = (n: number) => `${n.toString(16).padStart(24, '0')}.dcm`
const bytesOf = (n: number, length = 100 + n) => Buffer.alloc(length, n)
const entry = (n: number, length?: number) => ({
  file: nameOf(n),
  at: 1_700_000_000_000 + n,
  parts: [bytesOf(n, length)],
})
const pathOf = (journal: string) => path.join(journalFolder(dataDir), `${journal}.journal`)

async function recordsIn(file: string): Promise<ReadRecord[]> {
  const handle = await open(file, 'r')
  try {
    const records: ReadRecord[] = []
    for await (const record of readJournal(handle)) records.push(record)
    return records
  } finally {
    await handle.close()
  }
}

describe.each([true, false])('a journal (synced: %s)', (sync) => {
  it('holds what was appended, in its order, with the places that were told', async () => {
    const writer = await writerOf({ sync })
    const parts = [Buffer.from('meta'), Buffer.alloc(5000, 7)]
    const first = await writer.append({ file: nameOf(1), at: 12.5, parts })
    const others = await Promise.all([2, 3, 4].map(async (n) => await writer.append(entry(n))))
    const journal = first?.journal ?? ''
    const records = await recordsIn(pathOf(journal))
    expect(records.map(({ file }) => file)).toEqual([1, 2, 3, 4].map(nameOf))
    expect(records[0]).toMatchObject({ at: 12.5, length: 5004, offset: first?.offset, isWhole: true })
    expect(records[0]?.bytes.equals(Buffer.concat(parts))).toBe(true)
    expect(records.slice(1).map(({ offset }) => offset)).toEqual(others.map((place) => place?.offset))
    expect(records.every(({ isWhole }) => isWhole)).toBe(true)
    await writer.close()
    expect(closed).toContainEqual({ journal, records: 4 })
  })
})

describe('a journal', () => {
  it('begins no group in a block that holds an earlier one', async () => {
    const writer = await writerOf()
    const blocks: number[] = []
    for (const n of [1, 2, 3]) blocks.push(Math.floor(((await writer.append(entry(n, 50)))?.offset ?? 0) / blockLength))
    expect(new Set(blocks).size).toBe(3)
  })

  it('refuses what does not fit, and goes on in the next one', async () => {
    const writer = await writerOf()
    expect(writer.append(entry(1, journalLength))).toBeNull()
    expect(writer.append({ ...entry(1), file: 'short.dcm' })).toBeNull()
    const large = 5 * 1024 * 1024
    const places = []
    for (let n = 1; n <= 14; n++) {
      // Between two of them there may be no journal for a moment: then the instance goes to a file of its own.
      let place = null
      while (place === null) {
        await writer.ready()
        place = await (writer.append(entry(n, large)) ?? new Promise<null>((resolve) => setTimeout(resolve, 20, null)))
      }
      places.push(place)
    }
    const journals = [...new Set(places.map(({ journal }) => journal))]
    expect(journals.length).toBe(3)
    for (const journal of journals) expect(statSync(pathOf(journal)).size).toBe(journalLength)
    const found = (await Promise.all(journals.map((journal) => recordsIn(pathOf(journal))))).flat()
    expect(found.map(({ file, isWhole }) => [file, isWhole])).toEqual(
      Array.from({ length: 14 }, (_, i) => [nameOf(i + 1), true]),
    )
  })

  it('is closed when nothing comes any more', async () => {
    const writer = await writerOf()
    const place = await writer.append(entry(1))
    while (closed.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(closed).toEqual([{ journal: place?.journal, records: 1 }])
  })

  it('acknowledges nothing more once its name was taken away', async () => {
    const writer = await writerOf()
    const place = await writer.append(entry(1))
    renameSync(pathOf(place?.journal ?? ''), path.join(journalFolder(dataDir), `${place?.journal}.replay`))
    await expect(writer.append(entry(2))).rejects.toMatchObject({ code: 'ENOENT' })
    await writer.close()
    expect(closed).toContainEqual({ journal: place?.journal, records: 1 })
  })

  it('acknowledges nothing behind a group that may be missing', async () => {
    const writer = await writerOf()
    const place = await writer.append(entry(1))
    const journal = pathOf(place?.journal ?? '')
    const elsewhere = `${journal}.elsewhere`
    renameSync(journal, elsewhere)
    const failed = writer.append(entry(2))
    // The next comes while the group before it is on its way to the disk, and goes there when all is well again.
    await new Promise((resolve) => setImmediate(resolve))
    const behind = writer.append(entry(3))
    const outcomes = Promise.allSettled([failed?.finally(() => renameSync(elsewhere, journal)), behind])
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((await writer.append(entry(4)))?.journal).not.toBe(place?.journal)
  })

  it('that is used again shows nothing of what it held before', async () => {
    const before = await writerOf()
    const place = await before.append(entry(1))
    await before.append(entry(2))
    await before.close()
    const spare = path.join(journalFolder(dataDir), 'x.spare')
    renameSync(pathOf(place?.journal ?? ''), spare)
    const { ino } = statSync(spare)
    const after = await writerOf()
    const again = await after.append(entry(3))
    expect(statSync(pathOf(again?.journal ?? '')).ino).toBe(ino)
    expect(existsSync(spare)).toBe(false)
    expect((await recordsIn(pathOf(again?.journal ?? ''))).map(({ file }) => file)).toEqual([nameOf(3)])
  })

  it('gives only what was written to it, and all that lies before the damage, wherever it is damaged', async () => {
    const writer = await writerOf()
    const places: (JournalPlace | null)[] = []
    for (const n of [1, 2, 3, 4]) places.push(await writer.append(entry(n, n * 900)))
    await writer.close()
    const journal = pathOf(places[0]?.journal ?? '')
    const whole = readFileSync(journal).subarray(0, 32_768)
    const damaged = path.join(dataDir, 'damaged')
    const damage = fc.record({
      at: fc.integer({ min: blockLength, max: whole.length - 1 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, bytes, cut }) => {
        const copy = Buffer.from(whole)
        copy.set(bytes.subarray(0, copy.length - at), at)
        writeFileSync(damaged, copy)
        if (cut) truncateSync(damaged, at)
        const found = await recordsIn(damaged)
        for (const record of found.filter(({ isWhole }) => isWhole)) {
          const n = Number.parseInt(record.file, 16)
          expect(record.bytes.equals(bytesOf(n, n * 900))).toBe(true)
        }
        const before = places.filter((place, i) => (place?.offset ?? 0) + (i + 1) * 900 <= at).length
        expect(found.filter(({ isWhole }) => isWhole).length).toBeGreaterThanOrEqual(before)
      }),
      { numRuns: 200 },
    )
  })
})
