import { createHash } from 'node:crypto'

/**
 * Users of an OpenID provider, sessions that can be listed, tokens with a scope; and the audit as a chain of hashes.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  await knex.schema.alterTable('users', (t) => {
    t.string('kind', 8).notNullable().defaultTo('local') // local | oidc
    t.string('oidc_issuer')
    t.string('oidc_subject').index()
    t.integer('disabled').notNullable().defaultTo(0)
    t.string('last_login_at', 32)
  })

  await knex.schema.alterTable('sessions', (t) => {
    t.string('handle', 32).index() // names the session to people; the cookie cannot be had from it
    t.string('last_seen_at', 32)
    t.string('address', 64)
    t.string('agent') // User-Agent
    t.string('oidc_sid').index() // the provider's session
    t.text('id_token') // shown to the provider at logout
  })
  // Sessions without a handle could not be ended by hand: everybody logs in anew.
  await knex('sessions').delete()

  await knex.schema.alterTable('tokens', (t) => {
    t.text('permissions') // JSON; null: those of the role
    t.string('created_by')
  })

  await knex.schema.alterTable('audit', (t) => {
    t.integer('sequence') // 1, 2, 3, … without a gap
    t.string('study_instance_uid', 64).index()
    t.text('detail') // JSON
    t.string('previous_hash', 64)
    t.string('hash', 64)
    t.unique(['sequence'])
    t.index(['actor'])
    t.index(['action'])
  })

  // One row: whoever adds to the chain changes it first, and so waits for whoever is adding.
  await knex.schema.createTable('audit_head', (t) => {
    t.integer('id').primary()
    t.integer('sequence').notNullable()
    t.string('hash', 64).notNullable()
  })

  // Where the audit is also written to, and how far.
  await knex.schema.createTable('audit_outlets', (t) => {
    t.string('name').primary()
    t.integer('sequence').notNullable() // the last entry that is surely there
    t.string('holder', 64) // the process that writes there
    t.string('held_until', 32)
  })

  await knex('audit_head').insert({ id: 1, ...(await chainOldEntries(knex)) })
}

/** @returns the end of the chain */
async function chainOldEntries(knex) {
  let sequence = 0
  let hash = '0'.repeat(64)
  let last = 0
  for (;;) {
    const rows = await knex('audit').where('id', '>', last).orderBy('id').limit(1000)
    if (rows.length === 0) return { sequence, hash }
    for (const { id, at, actor, action, subject, outcome } of rows) {
      sequence++
      const previous = hash
      const content = JSON.stringify([sequence, at, actor, action, subject, outcome, null, null])
      hash = createHash('sha256').update(`${previous}\n${content}`, 'utf8').digest('hex')
      await knex('audit').where({ id }).update({ sequence, previous_hash: previous, hash })
      last = id
    }
  }
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
