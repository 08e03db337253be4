import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import express, { type RequestHandler, type Router } from 'express'
import type { Knex } from 'knex'
import { numberOf, textOf } from '../../src/dicom/dataset.ts'
import { type InstanceFile, readInstanceFile } from '../../src/dicom/instance-file.ts'
import { silentLog } from '../../src/log.ts'
import { seriesColumns, studyColumns } from '../../src/receive/index-header.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { keyOf } from '../../src/store/objects.ts'
import { dicomwebRouter } from '../../src/view/router.ts'

/** A store of real files, indexed in a real SQLite, and served by the real routers on a port of its own. */
export interface ServedStore {
  url: string
  dataDir: string
  database: Knex
  objects: DiskObjects
  fetch(where: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export interface ServedStoreOptions {
  storeInstances?: (store: { database: Knex; objects: DiskObjects; dataDir: string }) => RequestHandler
  /** Mounted at the root, before DICOMweb. */
  root?: Router
}

export async function serveStore(files: readonly string[], options: ServedStoreOptions = {}): Promise<ServedStore> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-view-'))
  const database = await openDatabase({ url: '', dataDir, log: silentLog })
  await migrate(database)
  const objects = new DiskObjects(dataDir)
  let number = 0
  for (const file of files)
    await indexFile({ database, dataDir }, file, `${(number++).toString(16).padStart(8, '0')}.dcm`)
  await countInstances(database)

  const app = express()
  if (options.root) app.use(options.root)
  const storeInstances = options.storeInstances?.({ database, objects, dataDir })
  app.use('/dicomweb', dicomwebRouter({ database, objects, log: silentLog, ...(storeInstances && { storeInstances }) }))
  const server: Server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    dataDir,
    database,
    objects,
    fetch: (where, init) => fetch(url + where, init),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await database.destroy()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function indexFile({ database, dataDir }: { database: Knex; dataDir: string }, source: string, name: string) {
  const file = await readInstanceFile(source)
  const key = keyOf(name)
  const target = path.join(dataDir, 'objects', key)
  mkdirSync(path.dirname(target), { recursive: true })
  copyFileSync(source, target)
  const d = file.elements
  const at = new Date().toISOString()
  const studyId = await idOf(database, 'studies', 'study_instance_uid', textOf(d, 'StudyInstanceUID'), {
    ...studyColumns(d),
    state: 'done',
    last_instance_at: at,
    created_at: at,
    updated_at: at,
  })
  const seriesId = await idOf(database, 'series', 'series_instance_uid', textOf(d, 'SeriesInstanceUID'), {
    ...seriesColumns(d),
    study_id: studyId,
    origin: 'source',
    created_at: at,
  })
  await database('instances').insert({
    ...instanceRow(file),
    study_id: studyId,
    series_id: seriesId,
    object_key: key,
    received_at: at,
  })
}

function instanceRow(file: InstanceFile) {
  const d = file.elements
  return {
    sop_instance_uid: textOf(d, 'SOPInstanceUID'),
    sop_class_uid: textOf(d, 'SOPClassUID'),
    transfer_syntax_uid: file.transferSyntaxUID,
    instance_number: numberOf(d, 'InstanceNumber'),
    rows: numberOf(d, 'Rows'),
    columns: numberOf(d, 'Columns'),
    bits_allocated: numberOf(d, 'BitsAllocated'),
    number_of_frames: numberOf(d, 'NumberOfFrames'),
    size: statSync(file.path).size,
    origin: 'source',
  }
}

async function idOf(database: Knex, table: string, column: string, uid: string | null, row: object): Promise<number> {
  const found = await database(table).where(column, uid).first('id')
  if (found) return found.id
  await database(table).insert({ ...row, [column]: uid })
  return (await database(table).where(column, uid).first('id')).id
}

async function countInstances(database: Knex) {
  const counts: { series_id: number; instances: number }[] = await database('instances')
    .groupBy('series_id')
    .select('series_id', database.raw('count(*) as instances'))
  for (const { series_id, instances } of counts) await database('series').where('id', series_id).update({ instances })
}
