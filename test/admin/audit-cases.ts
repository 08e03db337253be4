import { afterEach, beforeEach, expect, it } from 'vitest'
import { Audit } from '../../src/admin/audit.ts'
import { chainHash, verifyChain } from '../../src/store/audit-chain.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

/** The chain of the audit, and what becomes of it where somebody has their hands in the database. */
export function auditCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let audit: Audit
  const now = new Date('2026-03-01T10:00:00.000Z')
  beforeEach(async () => {
    store = await open()
    audit = new Audit(store.database, () => now)
  })
  afterEach(() => store.dispose())

  const record = (action: string) => audit.record({ actor: 'user:anna', action, subject: '7', outcome: 'success' })
  const recordSome = async () => {
    for (const action of ['login', 'job-retry', 'study-view', 'export-download', 'logout']) await record(action)
  }
  const problems = async () =>
    (await verifyChain(store.database)).problems.map(({ sequence, problem }) => `${sequence} ${problem}`)

  it('finds nothing wrong with entries that nobody has touched', async () => {
    await recordSome()
    const report = await verifyChain(store.database)
    expect(report).toMatchObject({ entries: 5, problems: [], head: { sequence: 5 } })
    expect(report.head.hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each(['at', 'actor', 'action', 'subject', 'outcome', 'study_instance_uid', 'detail'])(
    'finds an entry whose %s was changed',
    async (column) => {
      await recordSome()
      await store
        .database('audit')
        .where({ sequence: 3 })
        .update({ [column]: 'other' })
      expect(await problems()).toEqual(['3 was changed'])
    },
  )

  it('finds an entry that was changed and given a hash that fits', async () => {
    await recordSome()
    const other = await forgedHash()
    await store.database('audit').where({ sequence: 3 }).update({ actor: 'user:eve', hash: other })
    expect(await problems()).toEqual(['4 does not follow the entry before it: one of the two was put in or changed'])
  })

  it('finds entries that were removed, in the middle and at the end', async () => {
    await recordSome()
    await store.database('audit').where({ sequence: 2 }).delete()
    expect(await problems()).toEqual(['2 was removed'])
    await store.database('audit').whereIn('sequence', [4, 5]).delete()
    expect(await problems()).toEqual(['2 was removed', '4 entries 4 to 5, the last ones, were removed'])
  })

  it('finds a row that was put in beside the chain, and one within it', async () => {
    await recordSome()
    const row = { at: now.toISOString(), actor: 'user:eve', action: 'login', outcome: 'success' }
    await store.database('audit').insert(row)
    expect(await problems()).toEqual([expect.stringMatching(/^null row \d+ was put in beside the chain$/)])
    await store.database('audit').whereNull('sequence').delete()
    await store.database('audit').insert({ ...row, sequence: 6, previous_hash: '0', hash: '0' })
    expect(await problems()).toEqual([
      '6 does not follow the entry before it: one of the two was put in or changed',
      '6 was changed',
    ])
  })

  it('finds a chain that was made anew, by what was written elsewhere', async () => {
    await recordSome()
    const anchors = new Map<number, string>()
    for (const { sequence, hash } of await store.database('audit')) anchors.set(sequence, hash)
    await store.database('audit').delete()
    await store.database('audit_head').update({ sequence: 0, hash: '0'.repeat(64) })
    for (const action of ['login', 'job-retry', 'study-delete']) await record(action)
    expect(await problems()).toEqual([])
    const report = await verifyChain(store.database, anchors)
    expect(report.problems).toEqual([
      { sequence: 3, problem: 'is not the entry that was written elsewhere' },
      { sequence: 5, problem: 'was written elsewhere, and the chain ends before it, at 3' },
    ])
  })

  it('keeps one chain where several write at once', async () => {
    const others = Array.from({ length: 4 }, () => new Audit(store.database))
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (others[i % 4] ?? audit).record({ actor: `user:${i}`, action: 'login', outcome: 'success' }),
      ),
    )
    expect(await verifyChain(store.database)).toMatchObject({ entries: 40, problems: [], head: { sequence: 40 } })
  })

  it('names the patient of a study by the ID, and nothing else of the patient', async () => {
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    await store.database('studies').update({ patient_id: 'P-1', patient_name: 'Doe^Jane' })
    await audit.record({ actor: 'user:anna', action: 'study-view', outcome: 'success', studyInstanceUID: studyUID(1) })
    const { entries } = await audit.list({ limit: 10 })
    expect(entries[0]).toMatchObject({ studyInstanceUID: studyUID(1), detail: { patientID: 'P-1' } })
    expect(JSON.stringify(await store.database('audit'))).not.toContain('Doe')
  })

  it('begins with a write, so that two processes with one SQLite database wait for each other', async () => {
    const said: string[] = []
    store.database.on('query', ({ sql }: { sql: string }) => said.push(sql))
    await audit.record({ actor: 'user:anna', action: 'study-view', outcome: 'success', studyInstanceUID: studyUID(1) })
    const begun = said.findIndex((sql) => /^begin/i.test(sql))
    expect(said[begun + 1]).toMatch(/^update .audit_head/i)
  })

  it('is searched by time, person, act, outcome and study, page by page', async () => {
    await recordSome()
    await audit.record({ actor: 'token:pacs', action: 'login', outcome: 'failure', studyInstanceUID: '1.2.3' })
    const found = async (search: Omit<Parameters<Audit['list']>[0], 'limit'>) =>
      (await audit.list({ limit: 10, ...search })).entries.map(({ sequence }) => sequence)
    expect(await found({ action: 'login' })).toEqual([6, 1])
    expect(await found({ actor: 'token:*' })).toEqual([6])
    expect(await found({ actor: 'user:%' })).toEqual([])
    expect(await found({ outcome: 'failure' })).toEqual([6])
    expect(await found({ studyInstanceUID: '1.2.3' })).toEqual([6])
    expect(await found({ from: now.toISOString() })).toHaveLength(6)
    expect(await found({ to: now.toISOString() })).toEqual([])
    const page = await audit.list({ limit: 4 })
    expect(page).toMatchObject({ total: 6, totalIsExact: true })
    const next = await audit.list({ limit: 4, before: page.entries.at(-1)?.id })
    expect(next.entries.map(({ sequence }) => sequence)).toEqual([2, 1])
  })

  /** The hash that the third entry would have with another actor. */
  async function forgedHash(): Promise<string> {
    const row = await store.database('audit').where({ sequence: 3 }).first()
    return chainHash(row.previous_hash, 3, { ...row, actor: 'user:eve' })
  }
}
