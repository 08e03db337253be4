/**
 * What a deleted study was, so that it goes on where it was when it comes again: else results of other content would get the UIDs of
 * those that were delivered before.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  await knex.schema.alterTable('deletions', (t) => {
    t.integer('revision').notNullable().defaultTo(0) // the newest
    t.string('content', 64) // SHA-256 of the SOP Instance UIDs of its source instances; null: not written down
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
