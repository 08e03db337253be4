/**
 * Columns and indexes that let searches cost the same in a large archive. Texts as searches compare them stand in columns of their own,
 * since the databases do not agree on the case of letters beyond ASCII.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const report = knex.userParams?.report ?? (() => {})
  const postgres = knex.client.config.client === 'pg'
  const names = ['patient_name', 'referring_physician_name'].flatMap((name) => [
    `${name}_key`,
    `${name}_ideographic_key`,
    `${name}_phonetic_key`,
  ])

  await knex.schema.alterTable('studies', (t) => {
    t.string('search_date', 32).notNullable().defaultTo('') // study_date, or empty: the order of searches, without nulls
    t.text('search_text') // what the list of studies is searched in
    t.dropIndex(['patient_name'])
    t.dropIndex(['study_date'])
    t.dropIndex(['state'])
    t.dropIndex(['updated_at'])
  })
  // Prefixes are looked up as ranges, which needs the order of code points.
  for (const name of names)
    await knex.raw(`alter table studies add column ${name} varchar(255) ${postgres ? 'collate "C"' : ''}`)

  await fill(knex, report)

  report('the indexes of the studies are being made')
  await knex.schema.alterTable('studies', (t) => {
    t.index(['search_date', 'id'])
    t.index(['state', 'updated_at', 'id'])
    t.index(['updated_at', 'id'])
  })
  for (const name of names.filter((name) => name.startsWith('patient_name')))
    await knex.raw(`create index studies_${name}_index on studies (${name}) where ${name} is not null`)
  await knex.schema.alterTable('series', (t) => {
    t.index(['study_id', 'modality', 'origin', 'instances'])
  })
  await knex.schema.alterTable('jobs', (t) => {
    t.index(['created_at', 'id'])
    t.index(['state', 'created_at', 'id'])
  })
  report('the index of the instances is being made')
  await knex.schema.alterTable('instances', (t) => {
    t.dropIndex(['series_id'])
    t.index(['series_id', 'instance_number', 'id'])
  })
}

/** What a study's row gets when it is written, for those that are there. */
async function fill(knex, report) {
  let after = 0
  let done = 0
  for (;;) {
    const rows = await knex('studies')
      .where('id', '>', after)
      .orderBy('id')
      .limit(500)
      .select('id', 'study_date', 'patient_name', 'patient_id', 'accession_number', 'study_description', 'header')
    if (rows.length === 0) return
    for (const row of rows) {
      const header = JSON.parse(row.header)
      const patient = groupsOf(header['00100010']) ?? [row.patient_name, null, null]
      const keys = {
        ...keysOf('patient_name', patient),
        ...keysOf('referring_physician_name', groupsOf(header['00080090']) ?? [null, null, null]),
      }
      const searched = [...patient, row.patient_id, row.accession_number, row.study_description]
      const search_text = searched.filter(Boolean).map(searchKey).join('\n')
      await knex('studies')
        .where({ id: row.id })
        .update({ ...keys, search_text, search_date: row.study_date ?? '' })
    }
    after = rows.at(-1).id
    done += rows.length
    if (done % 10_000 === 0) report(`${done} studies have their search columns`)
  }
}

function groupsOf(element) {
  const name = element?.Value?.[0]
  if (typeof name !== 'object' || name === null) return null
  return [name.Alphabetic, name.Ideographic, name.Phonetic]
}

function keysOf(column, groups) {
  const [alphabetic, ideographic, phonetic] = groups.map((group) => (group ? nameKey(group) || null : null))
  return {
    [`${column}_key`]: alphabetic,
    [`${column}_ideographic_key`]: ideographic,
    [`${column}_phonetic_key`]: phonetic,
  }
}

function nameKey(group) {
  return searchKey(group)
    .trim()
    .replace(/[\s^]+$/, '')
    .slice(0, 255)
}

function searchKey(text) {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFC')
    .replaceAll('ς', 'σ')
    .replaceAll('i\u0307', 'i')
    .replaceAll('\0', '')
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
