import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Accounts } from '../src/admin/accounts.ts'
import * as auditCommand from '../src/commands/audit.ts'
import * as tokenCommand from '../src/commands/token.ts'
import * as userCommand from '../src/commands/user.ts'
import { silentLog } from '../src/log.ts'
import { migrate, openDatabase } from '../src/store/database.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-access-'))
const config = path.join(dataDir, 'hilum.yaml')

beforeAll(async () => {
  writeFileSync(config, `dataDir: ${dataDir}\n`)
  const database = await openDatabase({ url: '', dataDir, log: silentLog })
  await migrate(database)
  await new Accounts(database).createFirstUser()
  await database.destroy()
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

async function hilum(command: { run(args: string[]): Promise<number> }, ...args: string[]) {
  let out = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  try {
    return { code: await command.run([...args, '--config', config]), out }
  } finally {
    write.mockRestore()
  }
}

it('adds a user with a one-time password, gives another, changes the role, disables and removes', async () => {
  expect((await hilum(userCommand, 'add', 'anna', '--role', 'radiologist')).out).toMatch(
    /one-time password: ([a-z2-9]{5}-){3}/,
  )
  expect((await hilum(userCommand, 'reset', 'anna')).out).toMatch(/one-time password of anna: /)
  expect((await hilum(userCommand, 'role', 'anna', 'operator')).code).toBe(0)
  expect((await hilum(userCommand, 'disable', 'anna')).code).toBe(0)
  expect((await hilum(userCommand, 'list')).out).toMatch(
    /^anna {2}operator {2}disabled, has a one-time password, never logged in$/m,
  )
  expect((await hilum(userCommand, 'remove', 'anna')).code).toBe(0)
  await expect(hilum(userCommand, 'remove', 'admin')).rejects.toMatchObject({ code: 'last-administrator' })
  await expect(hilum(userCommand, 'role', 'admin', 'king')).rejects.toMatchObject({ code: 'usage' })
  await expect(hilum(userCommand, 'reset')).rejects.toMatchObject({ code: 'usage' })
})

it('makes tokens with a scope and an expiry, and revokes them', async () => {
  const made = await hilum(tokenCommand, 'add', 'pacs', '--may', 'studies.read,studies.store', '--expires', '90d')
  expect(made.out).toMatch(/^token 1, pacs, until \d{4}-.*\nhilum_\S{43}\n$/)
  expect((await hilum(tokenCommand, 'list')).out).toMatch(
    /^1 {2}pacs {2}studies.read,studies.store {2}until .*, never used, made by command line$/m,
  )
  await expect(hilum(tokenCommand, 'add', 'x', '--may', 'everything')).rejects.toMatchObject({ code: 'usage' })
  await expect(hilum(tokenCommand, 'add', 'x', '--expires', '2020-01-01')).rejects.toMatchObject({ code: 'usage' })
  expect((await hilum(tokenCommand, 'revoke', '1')).out).toBe('revoked: pacs\n')
  await expect(hilum(tokenCommand, 'revoke', '1')).rejects.toMatchObject({ code: 'token-unknown' })
})

it('lists, verifies and exports what was done, and says where the audit was tampered with', async () => {
  const listed = (await hilum(auditCommand, 'list', '--action', 'user-role')).out
  expect(listed).toMatch(/^\d+ {2}\S+ {2}command line {2}user-role {2}anna operator$/m)
  const good = await hilum(auditCommand, 'verify')
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('nothing was changed, removed or put in')])
  const lines = (await hilum(auditCommand, 'export')).out.trimEnd().split('\n')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ sequence: 1, action: 'user-create' })
  const database = await openDatabase({ url: '', dataDir, log: silentLog })
  await database('audit').where({ sequence: 2 }).update({ subject: 'berta' })
  await database.destroy()
  const bad = await hilum(auditCommand, 'verify')
  expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('entry 2: was changed')])
})
