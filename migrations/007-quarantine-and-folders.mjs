/**
 * What became of a quarantined object, and which files of watched folders have been dealt with.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const time = (t, name) => t.string(name, 32)

  await knex.schema.alterTable('quarantine', (t) => {
    t.string('state', 16).notNullable().defaultTo('quarantined').index() // quarantined | reingested | discarded
    time(t, 'state_at') // when it was taken in again, or discarded
    t.string('state_by') // by whom
    t.string('stored_instance_uid', 64) // SOP Instance UID under which it was taken in again
  })

  await knex.schema.createTable('folder_files', (t) => {
    t.increments('id')
    t.string('key', 64).notNullable().unique() // SHA-256 of folder and path: paths are longer than an index may hold
    t.string('folder_key', 64).notNullable().index() // SHA-256 of the folder
    t.text('path').notNullable() // inside the folder
    t.bigInteger('size').notNullable()
    t.string('modified', 32).notNullable() // nanoseconds since 1970
    t.string('outcome', 16).notNullable() // taken | quarantined | ignored
    time(t, 'at').notNullable()
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
