/**
 * Who is told of what (targets, subscriptions, what waits to be sent, what was), critical results, and what runs by schedule.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.createTable('notification_targets', (t) => {
    t.increments('id')
    t.string('name', 64).notNullable().unique()
    t.string('kind', 16).notNullable() // webhook | email
    json(t, 'definition').notNullable() // without secrets
    t.text('secrets') // JSON, sealed; null where there are none
    t.integer('enabled').notNullable().defaultTo(1)
    t.integer('phi').notNullable().defaultTo(0) // 1: may be told who the patient is
    t.string('author').notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable()
  })

  await knex.schema.createTable('notification_subscriptions', (t) => {
    t.increments('id')
    t.integer('target_id').notNullable().references('notification_targets.id').onDelete('CASCADE').index()
    t.string('event', 32).notNullable().index()
    json(t, 'definition').notNullable() // filters and templates
    t.integer('enabled').notNullable().defaultTo(1)
    t.string('author').notNullable()
    time(t, 'updated_at').notNullable()
  })

  // What happened, written in the transaction in which it happened; no more than what somebody subscribes to.
  await knex.schema.createTable('notification_events', (t) => {
    t.increments('id')
    time(t, 'at').notNullable().index()
    t.string('kind', 32).notNullable()
    t.integer('urgent').notNullable().defaultTo(0)
    t.integer('study_id') // the study may be deleted before it is told
    t.integer('subscription_id') // only for this one; null: for all
    t.string('once').unique() // what is told once only; null: told whenever it happens
    json(t, 'detail').notNullable() // without patient data
    t.integer('spread').notNullable().defaultTo(0).index() // 1: its messages are written
  })

  await knex.schema.createTable('notification_messages', (t) => {
    t.increments('id')
    t.integer('event_id').notNullable().references('notification_events.id').onDelete('CASCADE').index()
    t.integer('target_id').notNullable().references('notification_targets.id').onDelete('CASCADE')
    t.integer('subscription_id').notNullable()
    t.string('event', 32).notNullable()
    t.string('state', 16).notNullable() // waiting | sending | sent | dead
    t.integer('urgent').notNullable().defaultTo(0)
    time(t, 'at').notNullable() // when it was written
    time(t, 'run_after').notNullable()
    t.integer('attempts').notNullable().defaultTo(0)
    t.text('error')
    time(t, 'sent_at')
    t.string('batch', 36).index() // what is sent at once has the same
    time(t, 'held_until') // while it is sent: until another process may take it over
    t.unique(['event_id', 'subscription_id'])
    t.index(['state', 'run_after'])
    t.index(['target_id', 'state', 'urgent'])
  })

  await knex.schema.createTable('notification_attempts', (t) => {
    t.increments('id')
    t.integer('target_id').notNullable().references('notification_targets.id').onDelete('CASCADE')
    t.string('batch', 36).notNullable().index()
    time(t, 'at').notNullable()
    t.integer('ms').notNullable()
    t.integer('messages').notNullable()
    t.integer('urgent').notNullable()
    t.integer('ok').notNullable()
    t.string('answer').notNullable() // what the other side said, or why it could not be asked
    t.index(['target_id', 'at'])
  })

  await knex.schema.alterTable('results', (t) => {
    t.integer('urgent').notNullable().defaultTo(0) // 1: a finding is critical by the rule of its route
  })

  await knex.schema.createTable('schedules', (t) => {
    t.string('name').primary()
    t.string('cron', 200) // null: as the node comes
    t.string('time_zone', 64) // null: that of the machine
    t.integer('enabled') // null: as the node comes
    t.string('author')
    time(t, 'updated_at')
    time(t, 'next_at') // what is due then is run by whoever takes this time away first
    t.string('holder', 64) // who runs it now
    time(t, 'held_until')
    time(t, 'last_started_at')
    time(t, 'last_finished_at')
    t.string('last_outcome', 16) // done | failed | interrupted | missed
    t.text('last_sentence')
  })

  await knex.schema.createTable('schedule_runs', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('by').notNullable() // schedule, or who asked for it
    time(t, 'started_at').notNullable()
    time(t, 'finished_at')
    t.string('outcome', 16) // null: it runs
    t.text('sentence')
    t.index(['name', 'id'])
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
