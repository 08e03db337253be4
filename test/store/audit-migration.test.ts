import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Audit } from '../../src/admin/audit.ts'
import { silentLog } from '../../src/log.ts'
import { verifyChain } from '../../src/store/audit-chain.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { repository } from '../support/data.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-audit-migration-'))
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

it('takes the entries that are there into the chain, which goes on from them', async () => {
  const database = await openDatabase({ url: '', dataDir, log: silentLog })
  try {
    const directory = path.join(repository, 'migrations')
    const before = readdirSync(directory).filter((name) => name < '011')
    for (const name of before) await database.migrate.up({ directory, loadExtensions: ['.mjs'], name })
    const entry = (n: number) => ({
      at: `2026-01-01T00:00:${String(n % 60).padStart(2, '0')}.000Z`,
      actor: `user:${n}`,
      action: 'login',
      subject: n % 2 === 0 ? null : 'Größe',
      outcome: 'success',
    })
    await database.batchInsert(
      'audit',
      Array.from({ length: 1203 }, (_, n) => entry(n)),
      100,
    )
    await database('audit').where({ actor: 'user:7' }).delete()
    await migrate(database)
    await new Audit(database).record({ actor: 'user:anna', action: 'logout', outcome: 'success' })
    expect(await verifyChain(database)).toMatchObject({ entries: 1203, problems: [], head: { sequence: 1203 } })
    await database('audit').where({ actor: 'user:8' }).update({ actor: 'user:9' })
    expect((await verifyChain(database)).problems).toEqual([{ sequence: 8, problem: 'was changed' }])
  } finally {
    await database.destroy()
  }
})
