/**
 * Results that are no DICOM objects: files for export.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  await knex.schema.createTable('exports', (t) => {
    t.increments('id')
    t.string('job_id', 64).notNullable().references('jobs.id').onDelete('CASCADE').index()
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('revision_id').notNullable().references('revisions.id').onDelete('CASCADE')
    t.string('pipeline').notNullable() // name@sha256:…
    t.string('role').notNullable()
    t.string('output').notNullable() // id of the pipeline's output, or its kind
    t.string('name').notNullable() // of the file, as it is downloaded
    t.string('media_type').notNullable()
    t.string('object_key').notNullable()
    t.bigInteger('size').notNullable()
    t.string('sha256', 64).notNullable()
    t.string('created_at', 32).notNullable()
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
