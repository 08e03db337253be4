/**
 * What the API keeps: answers by idempotency key, pauses of the queue, destinations and versions of pipelines that were changed while the
 * node ran, and the certificates that peers have shown.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.createTable('idempotency_keys', (t) => {
    t.string('key', 64).primary() // SHA-256 of actor, operation and key
    t.string('request', 64).notNullable() // SHA-256 of the request's body
    t.integer('status') // of the answer; null while the first request is under way
    t.text('answer') // JSON, sealed; null where there is none
    time(t, 'created_at').notNullable().index()
  })

  await knex.schema.createTable('pauses', (t) => {
    t.increments('id')
    t.string('scope', 16).notNullable() // all | kind | pipeline | destination
    t.string('name').notNullable().defaultTo('') // empty where the scope is all
    t.text('reason').notNullable()
    t.string('author').notNullable()
    time(t, 'at').notNullable()
    t.unique(['scope', 'name'])
  })

  await knex.schema.createTable('destinations', (t) => {
    t.string('name', 64).primary()
    json(t, 'definition').notNullable() // without secrets
    t.text('secrets') // JSON, sealed; null where there are none
    t.string('author').notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable()
  })

  await knex.schema.createTable('destination_tests', (t) => {
    t.string('name', 64).primary()
    time(t, 'at').notNullable()
    t.integer('ok').notNullable()
    json(t, 'answer').notNullable()
  })

  // Versions that are installed and must not be run.
  await knex.schema.createTable('disabled_pipelines', (t) => {
    t.string('digest', 80).primary()
    t.string('author').notNullable()
    t.text('reason')
    time(t, 'at').notNullable()
  })

  await knex.schema.createTable('peer_certificates', (t) => {
    t.string('peer').primary() // host:port
    json(t, 'certificate').notNullable()
    time(t, 'seen_at').notNullable()
  })

  await knex.schema.alterTable('jobs', (t) => {
    t.integer('cancelled').notNullable().defaultTo(0) // 1: failed because somebody ended it: no fault of anything
    t.index(['kind', 'state', 'finished_at'])
  })
  await knex.schema.alterTable('deliveries', (t) => {
    t.index(['destination', 'state', 'updated_at'])
  })
  await knex.schema.alterTable('findings', (t) => {
    t.index(['name'])
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
