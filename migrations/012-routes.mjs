/**
 * Drafts of routes, why a version was made, when which version was put in force, and when off-peak jobs may run.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.alterTable('routes', (t) => {
    t.text('comment') // of its author
  })

  // One a route: several people may write on it, and it need not be valid.
  await knex.schema.createTable('route_drafts', (t) => {
    t.string('name').primary()
    json(t, 'definition').notNullable()
    t.integer('based_on') // version; null: of a route that is new
    t.string('created_by').notNullable()
    t.string('updated_by').notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable()
  })

  await knex.schema.createTable('route_activations', (t) => {
    t.increments('id')
    t.string('name').notNullable().index()
    t.integer('version') // null: none is in force from then on
    t.string('actor').notNullable()
    t.text('comment')
    time(t, 'at').notNullable()
  })
  const rows = await knex('routes').where({ active: 1 }).select('name', 'version', 'author', 'created_at')
  for (const { name, version, author, created_at } of rows)
    await knex('route_activations').insert({ name, version, actor: author ?? 'unknown', at: created_at })

  // One row at most.
  await knex.schema.createTable('route_calendar', (t) => {
    t.integer('id').primary()
    json(t, 'definition').notNullable()
    t.string('author').notNullable()
    time(t, 'updated_at').notNullable()
  })

  await knex.schema.alterTable('jobs', (t) => {
    t.integer('off_peak').notNullable().defaultTo(0) // 1: begins in a window of the calendar only
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
