/**
 * Remotes that are added while the node runs, what each of them sent on which day, and what retention has deleted.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.createTable('remotes', (t) => {
    t.string('ae_title', 16).primary()
    json(t, 'addresses').notNullable() // addresses and blocks that it may call from; []: any
    json(t, 'may').notNullable() // store | query | retrieve
    t.string('host')
    t.integer('port').notNullable()
    json(t, 'tls') // null: called without TLS
    t.string('author').notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable()
  })

  // One row a remote and day (UTC). The empty AE title stands for all callers that are no remotes.
  await knex.schema.createTable('remote_days', (t) => {
    t.string('ae_title', 16).notNullable()
    t.string('day', 10).notNullable().index()
    t.integer('associations').notNullable().defaultTo(0)
    t.integer('refused').notNullable().defaultTo(0) // associations
    t.bigInteger('instances').notNullable().defaultTo(0)
    t.bigInteger('bytes').notNullable().defaultTo(0)
    t.integer('rejected').notNullable().defaultTo(0) // instances
    time(t, 'last_seen_at').notNullable()
    t.primary(['ae_title', 'day'])
  })

  // What is left of a study that was deleted.
  await knex.schema.createTable('deletions', (t) => {
    t.increments('id')
    t.string('study_instance_uid', 64).notNullable().index()
    t.integer('instances').notNullable() // source instances
    t.integer('results').notNullable()
    t.bigInteger('bytes').notNullable() // of all files
    t.string('rule').notNullable()
    t.text('proof').notNullable()
    t.string('actor').notNullable()
    time(t, 'at').notNullable().index()
  })

  // Files of deleted studies that are still to be removed: written with the deletion, gone with the file.
  await knex.schema.createTable('deleted_objects', (t) => {
    t.string('object_key').primary()
    t.integer('deletion_id').notNullable().references('deletions.id').onDelete('CASCADE').index()
  })

  // Retention goes through the studies by age.
  await knex.schema.alterTable('studies', (t) => {
    t.index(['last_instance_at', 'id'])
  })

  // A study's rows go by cascade: without these each series and revision would cost a scan of the whole table.
  for (const [table, column] of [
    ['arrivals', 'series_id'],
    ['results', 'revision_id'],
    ['findings', 'revision_id'],
  ])
    await knex.raw('create index if not exists ?? on ?? (??)', [`${table}_${column}_index`, table, column])
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
