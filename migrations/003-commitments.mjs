/**
 * Storage commitments (PS3.4 J): what was asked, what was found, and whether the asker knows it.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  await knex.schema.createTable('commitments', (t) => {
    t.increments('id')
    t.string('transaction_uid', 64).notNullable()
    t.string('calling_ae_title', 16).notNullable()
    t.string('called_ae_title', 16).notNullable()
    t.string('address', 64).notNullable()
    t.string('requested_at', 32).notNullable().index()
    t.integer('instances').notNullable() // asked for
    t.integer('failed') // not committed; null until it is decided
    t.text('referenced').notNullable() // [[SOP Class UID, SOP Instance UID], …], as asked
    t.text('failures') // [[index in referenced, Failure Reason], …]; null until it is decided
    t.string('state', 16).notNullable() // requested | decided | reported | unreported (given up)
    t.integer('attempts').notNullable().defaultTo(0) // reports tried on an association of the node's own
    t.string('next_attempt_at', 32) // null: nothing is left to do
    t.string('reported_at', 32)
    t.text('error') // why the last attempt failed
    t.unique(['calling_ae_title', 'transaction_uid'])
    t.index(['state', 'next_attempt_at'])
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
