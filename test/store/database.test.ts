import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { databaseVersion, migrate, openDatabase } from '../../src/store/database.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-database-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const open = (url = '') => openDatabase({ url, dataDir, log: silentLog })

it('opens SQLite in the data folder with the settings that durability needs', async () => {
  const database = await open()
  const setting = async (name: string) => Object.values((await database.raw(`pragma ${name}`))[0])[0]
  expect(await setting('journal_mode')).toBe('wal')
  expect(await setting('synchronous')).toBe(2)
  expect(await setting('foreign_keys')).toBe(1)
  await database.destroy()
})

it('migrates once, and knows its version', async () => {
  const database = await open()
  expect(await databaseVersion(database)).toBeNull()
  await migrate(database)
  await migrate(database)
  expect(await databaseVersion(database)).toMatch(/^\d{3}-[a-z-]+$/)
  await database.destroy()
})

it('migrates although a killed process left the lock', async () => {
  const first = await open()
  await migrate(first)
  await first('knex_migrations').del()
  await first.raw('drop table study_events')
  for (const { name } of await first.raw(
    `select name from sqlite_master where type = 'table' and name not like 'knex%' and name not like 'sqlite%'`,
  )) {
    await first.raw('pragma foreign_keys = off')
    await first.raw('drop table ??', [name])
  }
  await first('knex_migrations_lock').update({ is_locked: 1 })
  await first.destroy()
  const second = await open()
  await migrate(second)
  expect(await second('study_events')).toEqual([])
  await second.destroy()
})

it('refuses another URL without repeating it', async () => {
  const error = await open('mysql://root:secret@host/x').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'invalid-database-url' })
  expect(String(error)).not.toContain('secret')
})

it('keeps values out of the messages of failed statements', async () => {
  const database = await open()
  await migrate(database)
  const error = await database('studies')
    .insert({ patient_name: 'Doe^Jane' })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).not.toContain('Doe')
  await database.destroy()
})
