/**
 * Fills a node's database with an archive that never was: studies of ten years with their series, instances, revisions, decisions, jobs,
 * results and deliveries. Objects are not written: the index is what is measured. The same numbers give the same archive.
 */
import { createHash } from 'node:crypto'
import { seriesColumns, studyColumns } from '../../dist/receive/index-header.js'
import { isSQLite } from '../../dist/store/database.js'
import { insertRows } from '../../dist/store/insert-rows.js'

const uidRoot = '1.3.12.2.1107.5.1.4'
const surnames =
  'Abel Baker Castillo Dubois Eriksson Fischer García Huang Ivanova Jansen Kowalski Lindqvist Müller Nguyen Okafor Petrov Quinn Rossi Schneider Tanaka'
const givenNames =
  'Anna Boris Clara David Elif Farid Greta Hugo Ines Jonas Karin Lars Maria Nils Olga Paul Rosa Sven Tara Uwe'
const others = [
  { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
  { Alphabetic: 'Люксембург^Роза' },
  { Alphabetic: 'Διονύσιος^Νίκος' },
  { Alphabetic: 'Hong^Gildong', Ideographic: '洪^吉洞', Phonetic: '홍^길동' },
]
const kinds = [
  { modality: 'CT', weight: 45, sop: '1.2.840.10008.5.1.4.1.1.2', description: 'Thorax nativ', series: 4 },
  {
    modality: 'MR',
    weight: 25,
    sop: '1.2.840.10008.5.1.4.1.1.4',
    description: 'Head without and with contrast',
    series: 6,
  },
  { modality: 'DX', weight: 15, sop: '1.2.840.10008.5.1.4.1.1.1.1', description: 'Chest pa', series: 1 },
  { modality: 'US', weight: 10, sop: '1.2.840.10008.5.1.4.1.1.6.1', description: 'Abdomen', series: 1 },
  { modality: 'PT', weight: 5, sop: '1.2.840.10008.5.1.4.1.1.128', description: 'PET whole body', series: 3 },
]
const day = 86_400_000
const lastDay = Date.UTC(2026, 10, 20)

/** A pseudo-random number below 1 that depends on the numbers alone. */
export function chance(...numbers) {
  let h = 0x811c9dc5
  for (const n of numbers)
    for (const byte of [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24]) h = Math.imul(h ^ byte, 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}

const words = { surnames: surnames.split(' '), givenNames: givenNames.split(' ') }
const pick = (list, ...seed) => list[Math.floor(chance(...seed) * list.length)]

export function patientOf(n) {
  const name =
    n % 25 === 0
      ? pick(others, n, 1)
      : { Alphabetic: `${pick(words.surnames, n, 2)}${n % 97}^${pick(words.givenNames, n, 3)}` }
  return {
    id: `P${String(100_000 + n)}`,
    name,
    sex: n % 2 ? 'F' : 'M',
    birthDate: dateOf(lastDay - Math.floor(chance(n, 4) * 90 * 365) * day),
  }
}

function dateOf(ms) {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')
}

/** What the queries of the benchmark ask for; study 0 is the oldest. */
export function studyOf(n, of) {
  let weight = chance(n, 10) * 100
  const kind = kinds.find((one) => (weight -= one.weight) < 0) ?? kinds[0]
  const at = lastDay - Math.floor(((of - 1 - n) / of) * 3650 * day)
  return {
    n,
    kind,
    at,
    date: dateOf(at),
    uid: `${uidRoot}.${1000 + (n % 13)}.30000${dateOf(at)}${String(n).padStart(17, '0')}`,
    accession: `A${dateOf(at).slice(0, 4)}${String(n).padStart(7, '0')}`,
    patient: patientOf(Math.floor(chance(n, 11) * of * 0.4)),
  }
}

const element = (vr, ...Value) => ({ vr, Value })

function headerOf(study, series) {
  const { patient, kind } = study
  const header = {
    '00080005': element('CS', 'ISO_IR 192'),
    '00080008': element('CS', 'ORIGINAL', 'PRIMARY', 'AXIAL'),
    '00080016': element('UI', kind.sop),
    '00080018': element('UI', `${series.uid}.1`),
    '00080020': element('DA', study.date),
    '00080030': element('TM', '101530.123'),
    '00080050': element('SH', study.accession),
    '00080060': element('CS', kind.modality),
    '00080070': element('LO', 'SIEMENS'),
    '00080080': element('LO', 'University Hospital'),
    '00080090': element('PN', { Alphabetic: 'Referring^Physician^^Dr.' }),
    '00081030': element('LO', kind.description),
    '0008103E': element('LO', `series ${series.number} of the ${kind.description}`),
    '00100010': element('PN', patient.name),
    '00100020': element('LO', patient.id),
    '00100030': element('DA', patient.birthDate),
    '00100040': element('CS', patient.sex),
    '00180015': element('CS', kind.modality === 'MR' ? 'HEAD' : 'CHEST'),
    '0020000D': element('UI', study.uid),
    '0020000E': element('UI', series.uid),
    '00200010': element('SH', String(study.n)),
    '00200011': element('IS', series.number),
  }
  // As many elements as a scanner's header has.
  for (let i = 0; i < 70; i++)
    header[`0018${(0x9000 + i).toString(16).toUpperCase()}`] = element('DS', 1.5 + i, 0.0001 * i, 12345.678 + i)
  return header
}

/** Numbers of instances of a study's series: 250 in the mean, and the sum over 40 studies is exactly 10,000. */
function seriesSizes(study, average) {
  const total = Math.max(1, Math.round((average * (50 + 100 * ((study.n % 40) / 39))) / 100))
  const series = Math.min(study.kind.series, total)
  return Array.from({ length: series }, (_, i) => Math.floor(total / series) + (i < total % series ? 1 : 0))
}

const columns = {
  series:
    'id study_id series_instance_uid modality series_number series_description body_part_examined origin instances header created_at',
  instances:
    'study_id series_id sop_instance_uid sop_class_uid transfer_syntax_uid instance_number rows columns bits_allocated number_of_frames size object_key origin received_at',
  arrivals: 'study_id series_id association via sender first_at last_at instances',
  revisions: 'id study_id number completed_at reason instances members routed',
  decisions: 'study_id revision_id route route_version matched expression because series reason at',
  jobs: 'id kind study_id revision_id route pipeline destination state priority attempts payload run_after created_at started_at finished_at error',
  job_attempts: 'job_id at ms provider log',
  results:
    'id job_id study_id revision_id pipeline role sop_instance_uid sop_class_uid series_instance_uid modality object_key size sha256 created_at',
  deliveries: 'result_id job_id destination state proof updated_at',
  findings: 'job_id study_id revision_id pipeline name value unit code',
}

class Tables {
  #rows = new Map()
  add(table, ...row) {
    const rows = this.#rows.get(table)
    if (rows) rows.push(row)
    else this.#rows.set(table, [row])
  }
  async write(trx) {
    // In the order in which the tables refer to each other.
    for (const table of ['studies', ...Object.keys(columns)]) {
      const rows = this.#rows.get(table) ?? []
      const names = table === 'studies' ? studyNames : columns[table].split(' ')
      const atOnce = Math.floor(30_000 / names.length)
      for (let i = 0; i < rows.length; i += atOnce)
        await insertRows(trx, { table, columns: names, rows: rows.slice(i, i + atOnce) })
    }
    this.#rows.clear()
  }
}

const studyCounters =
  'id study_instance_uid state revision changed source_instances last_instance_at released_at created_at updated_at'.split(
    ' ',
  )
let studyNames = studyCounters

/** @returns how many instances there are */
export async function fillIndex(database, { studies, instances }, report) {
  const average = instances / studies
  const sqlite = isSQLite(database)
  if (sqlite) await database.raw('pragma synchronous = off')
  let [seriesId, resultId, written] = [0, 0, 0]
  const tables = new Tables()
  for (let n = 0; n < studies; n++) {
    const study = studyOf(n, studies)
    const sizes = seriesSizes(study, average)
    ;({ seriesId, resultId } = addStudy(tables, study, { sizes, seriesId, resultId }))
    written += sizes.reduce((sum, size) => sum + size, 0)
    if (n % 100 === 99 || n === studies - 1) await database.transaction((trx) => tables.write(trx))
    if (n % 2000 === 1999) report(`${n + 1} studies, ${written} instances`)
  }
  if (sqlite) await database.raw('pragma wal_checkpoint(truncate)')
  else {
    for (const table of ['studies', 'series', 'revisions', 'results'])
      await database.raw(`select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`)
    await database.raw('analyze')
  }
  return written
}

function addStudy(tables, study, { sizes, seriesId, resultId }) {
  const at = new Date(study.at + 36_000_000).toISOString()
  const id = study.n + 1
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const members = {}
  let first
  for (const [i, size] of sizes.entries()) {
    const series = { id: ++seriesId, uid: `${study.uid}.${i + 1}`, number: i + 1 }
    const header = headerOf(study, series)
    first ??= header
    const { modality, series_number, series_description, body_part_examined, header: text } = seriesColumns(header)
    tables.add(
      'series',
      series.id,
      id,
      series.uid,
      modality,
      series_number,
      series_description,
      body_part_examined,
      'source',
      size,
      text,
      at,
    )
    tables.add('arrivals', id, series.id, `association-${id}`, 'c-store', 'CT1@10.0.0.5', at, at, size)
    members[series.uid] = []
    for (let number = 1; number <= size; number++) {
      const name = createHash('md5').update(`${series.id}.${number}`).digest('hex')
      const key = `${name.slice(0, 2)}/${name.slice(2, 4)}/${name}.dcm`
      members[series.uid].push(key)
      tables.add(
        'instances',
        id,
        series.id,
        `${series.uid}.${number}`,
        study.kind.sop,
        '1.2.840.10008.1.2.1',
        number,
        512,
        512,
        16,
        null,
        525_800,
        key,
        'source',
        at,
      )
    }
  }
  const { ...searched } = studyColumns(first)
  studyNames = [...studyCounters, ...Object.keys(searched)]
  const failed = study.n % 500 === 0
  tables.add(
    'studies',
    id,
    study.uid,
    failed ? 'failed' : 'done',
    1,
    0,
    total,
    at,
    at,
    at,
    at,
    ...Object.values(searched),
  )
  tables.add('revisions', id, id, 1, at, 'quiet 5 s after association release', total, JSON.stringify(members), 1)
  for (const route of ['lung-density', 'head-bleed'])
    tables.add(
      'decisions',
      id,
      id,
      route,
      1,
      route === 'lung-density' ? 1 : 0,
      'series.Modality == "CT"',
      '{"series.Modality":"CT"}',
      '{}',
      'it is a CT',
      at,
    )
  if (study.n % 2 === 0) resultId = addWork(tables, { id, at, failed, resultId, uid: study.uid })
  return { seriesId, resultId }
}

function addWork(tables, { id, at, failed, resultId, uid }) {
  const pipeline = 'ct-lung-density@sha256:0123456789abcdef'
  const [infer, deliver] = [`infer-${id}`, `deliver-${id}`]
  const state = failed ? 'failed' : 'done'
  tables.add(
    'jobs',
    infer,
    'infer',
    id,
    id,
    'lung-density',
    pipeline,
    null,
    state,
    0,
    1,
    '{}',
    at,
    at,
    at,
    at,
    failed ? 'no memory' : null,
  )
  tables.add('job_attempts', infer, at, 4120, 'cpu', 'read 250 slices\nran on the cpu')
  if (failed) return resultId
  tables.add('jobs', deliver, 'deliver', id, id, 'lung-density', null, 'pacs', 'done', 0, 1, '{}', at, at, at, at, null)
  tables.add('job_attempts', deliver, at, 120, null, 'sent 2 objects')
  for (const [i, role] of ['segmentation', 'measurements'].entries()) {
    tables.add(
      'results',
      ++resultId,
      infer,
      id,
      id,
      pipeline,
      role,
      `${uid}.9.${i + 1}`,
      '1.2.840.10008.5.1.4.1.1.66.4',
      `${uid}.9`,
      i ? 'SR' : 'SEG',
      `results/${id}/${i}.dcm`,
      50_000,
      'f'.repeat(64),
      at,
    )
    tables.add('deliveries', resultId, deliver, 'pacs', 'verified', 'QIDO-RS gave it', at)
  }
  for (const name of ['Total lung volume', 'Emphysema'])
    tables.add('findings', infer, id, id, pipeline, name, 4.3, 'L', 'SCT:1')
  return resultId
}
