/**
 * Inferences whose results are only for comparison, and what people said of results.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  await knex.schema.alterTable('jobs', (t) => {
    t.integer('shadow').notNullable().defaultTo(0) // 1: of a shadow route: nothing of it is delivered, or counts for its study
  })

  // Without references: it outlives the study, which retention may delete.
  await knex.schema.createTable('feedback', (t) => {
    t.increments('id')
    t.string('at', 32).notNullable().index()
    t.string('given_by').notNullable() // name of the user or token
    t.string('verdict', 16).notNullable() // accepted | rejected | corrected
    t.text('reason')
    t.string('corrected_instance_uid', 64) // SOP Instance UID of the object that is right
    t.string('study_instance_uid', 64).notNullable().index()
    t.string('sop_instance_uid', 64).notNullable().index() // of the result
    t.string('role').notNullable()
    t.integer('revision').notNullable()
    t.string('route')
    t.integer('shadow').notNullable()
    t.string('pipeline').notNullable().index() // name@sha256:…
    t.string('version') // of the pipeline's manifest; null: not known
    t.text('findings').notNullable() // what the run measured: [{name, value, unit, code, site}]
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
