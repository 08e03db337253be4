/**
 * What others say about the completeness of studies (MPPS, availability notifications, HL7), often before the first instance
 * comes; and which earlier revision's results stand for a route whose input did not change.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.createTable('completion_hints', (t) => {
    t.increments('id')
    t.string('kind', 16).notNullable() // mpps | availability | order
    t.string('reference').notNullable() // SOP Instance UID; of an order its Study Instance UID or accession number
    t.string('state', 16).notNullable() // in-progress | completed | discontinued | available | noted | cancelled
    t.string('sender').notNullable()
    json(t, 'instances') // {SeriesInstanceUID: [SOPInstanceUID, …]}, as listed so far; null where none are listed
    t.integer('listed').notNullable().defaultTo(0) // how many that are, each once
    json(t, 'events').notNullable() // [{at, sentence}, …], the newest last
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable().index()
    t.unique(['kind', 'reference'])
  })

  // A procedure step may belong to several studies; an order without a Study Instance UID is found by its accession number.
  await knex.schema.createTable('completion_hint_subjects', (t) => {
    t.increments('id')
    t.integer('hint_id').notNullable().references('completion_hints.id').onDelete('CASCADE').index()
    t.string('study_instance_uid', 64).index()
    t.string('accession_number').index()
  })

  await knex.schema.alterTable('decisions', (t) => {
    // The earlier revision whose results stand, because the route's input is the same: nothing was run for this one.
    t.integer('stands_from')
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
