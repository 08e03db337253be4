import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { silentLog } from '../../src/log.ts'
import { studyColumns } from '../../src/receive/index-header.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { repository } from '../support/data.ts'

const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-migration-'))
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

it('gives the studies that are there the search columns that new ones get', async () => {
  const database = await openDatabase({ url: '', dataDir, log: silentLog })
  try {
    const directory = path.join(repository, 'migrations')
    await database.migrate.up({ directory, loadExtensions: ['.mjs'], name: '001-initial.mjs' })
    const element = (vr: string, value: unknown) => ({ vr, Value: [value] })
    const headers: DicomJson[] = [
      {
        '00080020': element('DA', '20240131'),
        '00080050': element('SH', 'ACC-1'),
        '00080090': element('PN', { Alphabetic: 'Weiß^Eva^^' }),
        '00081030': element('LO', 'Schädel'),
        '00100010': element('PN', { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }),
        '00100020': element('LO', 'P-1'),
      },
      { '00100010': element('PN', { Alphabetic: 'ΔΙΟΝΥΣΙΟΣ' }) },
      {},
    ]
    const at = '2026-01-01T00:00:00.000Z'
    const known = Object.keys(await database('studies').columnInfo())
    const expected = headers.map((header) => studyColumns(header))
    for (const [i, columns] of expected.entries()) {
      const old = Object.fromEntries(Object.entries(columns).filter(([column]) => known.includes(column)))
      const times = { last_instance_at: at, created_at: at, updated_at: at }
      await database('studies').insert({ ...old, ...times, study_instance_uid: `1.2.${i}`, state: 'done' })
    }
    await migrate(database)
    const rows = await database('studies').orderBy('id')
    expect(rows).toHaveLength(3)
    for (const [i, row] of rows.entries()) expect(row).toMatchObject(expected[i] ?? {})
    expect(rows[0].patient_name_ideographic_key).toBe('山田^太郎')
  } finally {
    await database.destroy()
  }
})
