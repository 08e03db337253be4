/**
 * The first schema. Times are ISO 8601 UTC text, truth values are 0 or 1, JSON is text: the same in SQLite and PostgreSQL.
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  await knex.schema.createTable('studies', (t) => {
    t.increments('id')
    t.string('study_instance_uid', 64).notNullable().unique()
    t.string('patient_id').index()
    t.string('patient_name').index()
    t.string('patient_birth_date', 32)
    t.string('patient_sex', 16)
    t.string('study_date', 32).index()
    t.string('study_time', 32)
    t.string('accession_number').index()
    t.string('study_id')
    t.string('study_description')
    t.string('referring_physician_name')
    json(t, 'header').notNullable() // patient and study level elements, DICOM JSON
    t.string('state', 16).notNullable().index() // receiving | complete | processing | done | failed
    t.integer('revision').notNullable().defaultTo(0) // the newest complete revision
    t.integer('changed').notNullable().defaultTo(1) // 1: source content has changed since the newest revision
    t.integer('source_instances').notNullable().defaultTo(0)
    time(t, 'last_instance_at').notNullable()
    time(t, 'released_at') // the last association that touched the study was released, and none is open
    time(t, 'created_at').notNullable()
    time(t, 'updated_at').notNullable().index()
    t.index(['changed', 'last_instance_at'])
  })

  await knex.schema.createTable('series', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE')
    t.string('series_instance_uid', 64).notNullable().index()
    t.string('modality', 32)
    t.bigInteger('series_number')
    t.string('series_description')
    t.string('body_part_examined')
    t.string('origin', 8).notNullable() // source | result
    t.integer('instances').notNullable().defaultTo(0)
    json(t, 'header').notNullable() // the first instance's elements without bulk data, DICOM JSON
    time(t, 'created_at').notNullable()
    t.unique(['study_id', 'series_instance_uid']) // devices and anonymisers do repeat a series UID in another study
  })

  await knex.schema.createTable('instances', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('series_id').notNullable().references('series.id').onDelete('CASCADE').index()
    t.string('sop_instance_uid', 64).notNullable().unique()
    t.string('sop_class_uid', 64).notNullable()
    t.string('transfer_syntax_uid', 64).notNullable()
    t.bigInteger('instance_number')
    t.integer('rows')
    t.integer('columns')
    t.integer('bits_allocated')
    t.integer('number_of_frames')
    t.bigInteger('size').notNullable() // bytes of the Part 10 file
    t.string('object_key').notNullable() // where the objects store holds it
    t.string('origin', 8).notNullable()
    time(t, 'received_at').notNullable()
  })

  // An instance that came again with different bytes: the newer is kept in `instances`, the older here.
  await knex.schema.createTable('replaced_instances', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.string('sop_instance_uid', 64).notNullable().index()
    t.string('object_key').notNullable()
    time(t, 'replaced_at').notNullable()
  })

  await knex.schema.createTable('arrivals', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('series_id').notNullable().references('series.id').onDelete('CASCADE')
    t.string('association', 64).notNullable() // id of the association, or of the STOW-RS request
    t.string('via', 16).notNullable() // c-store | stow-rs | recovery
    t.string('sender').notNullable() // CALLINGAE@address
    time(t, 'first_at').notNullable()
    time(t, 'last_at').notNullable()
    t.integer('instances').notNullable() // new ones
    t.integer('identical').notNullable().defaultTo(0) // already here, same bytes
    t.integer('replaced').notNullable().defaultTo(0) // already here, different bytes
    t.unique(['association', 'series_id'])
  })

  await knex.schema.createTable('revisions', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE')
    t.integer('number').notNullable()
    time(t, 'completed_at').notNullable()
    t.string('reason').notNullable()
    t.integer('instances').notNullable()
    json(t, 'members').notNullable() // {SeriesInstanceUID: [object_key, …]}, never changed afterwards
    t.integer('routed').notNullable().defaultTo(0).index() // 1: every route's decision and job is stored
    t.unique(['study_id', 'number'])
  })

  await knex.schema.createTable('routes', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.integer('version').notNullable()
    t.integer('active').notNullable() // at most one version of a name is active
    t.integer('position').notNullable()
    json(t, 'definition').notNullable()
    t.string('author')
    time(t, 'created_at').notNullable()
    t.unique(['name', 'version'])
  })

  await knex.schema.createTable('decisions', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('revision_id').notNullable().references('revisions.id').onDelete('CASCADE')
    t.string('route').notNullable()
    t.integer('route_version').notNullable()
    t.integer('matched').notNullable()
    t.text('expression').notNullable()
    json(t, 'because').notNullable()
    json(t, 'series').notNullable() // {input: SeriesInstanceUID}
    t.text('reason').notNullable() // one sentence
    time(t, 'at').notNullable()
    t.unique(['revision_id', 'route'])
  })

  await knex.schema.createTable('jobs', (t) => {
    t.string('id', 64).primary()
    t.string('kind', 16).notNullable() // infer | deliver
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('revision_id').notNullable().references('revisions.id').onDelete('CASCADE').index()
    t.string('route')
    t.string('pipeline') // name@sha256:…
    t.string('destination')
    t.string('state', 16).notNullable() // queued | running | done | failed
    t.integer('refused').notNullable().defaultTo(0) // 1: failed because the pipeline's declared limits exclude the input
    t.text('error')
    t.integer('priority').notNullable().defaultTo(0) // larger first
    t.integer('attempts').notNullable().defaultTo(0)
    t.integer('interruptions').notNullable().defaultTo(0) // attempts that ended with the process
    json(t, 'payload').notNullable()
    time(t, 'run_after').notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'started_at')
    time(t, 'finished_at')
    t.index(['state', 'kind', 'priority', 'run_after'])
  })

  await knex.schema.createTable('job_attempts', (t) => {
    t.increments('id')
    t.string('job_id', 64).notNullable().references('jobs.id').onDelete('CASCADE').index()
    time(t, 'at').notNullable()
    t.integer('ms')
    t.string('provider', 32)
    t.text('error')
    t.text('log')
  })

  await knex.schema.createTable('results', (t) => {
    t.increments('id')
    t.string('job_id', 64).notNullable().references('jobs.id').onDelete('CASCADE').index()
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('revision_id').notNullable().references('revisions.id').onDelete('CASCADE')
    t.string('pipeline').notNullable()
    t.string('role').notNullable() // segmentation | measurements | planar
    t.string('sop_instance_uid', 64).notNullable().unique()
    t.string('sop_class_uid', 64).notNullable()
    t.string('series_instance_uid', 64).notNullable()
    t.string('modality', 16).notNullable()
    t.string('object_key').notNullable()
    t.bigInteger('size').notNullable()
    t.string('sha256', 64).notNullable()
    t.string('supersedes', 64) // SOP Instance UID of the previous revision's result in the same role
    time(t, 'created_at').notNullable()
  })

  await knex.schema.createTable('deliveries', (t) => {
    t.increments('id')
    t.integer('result_id').notNullable().references('results.id').onDelete('CASCADE')
    t.string('job_id', 64).notNullable().references('jobs.id').onDelete('CASCADE').index()
    t.string('destination').notNullable()
    t.string('state', 16).notNullable() // pending | sent | verified | failed
    t.text('proof')
    t.text('error')
    time(t, 'updated_at').notNullable()
    t.unique(['result_id', 'destination'])
  })

  await knex.schema.createTable('findings', (t) => {
    t.increments('id')
    t.string('job_id', 64).notNullable().references('jobs.id').onDelete('CASCADE').index()
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    t.integer('revision_id').notNullable().references('revisions.id').onDelete('CASCADE')
    t.string('pipeline').notNullable()
    t.string('name').notNullable()
    t.double('value').notNullable()
    t.string('unit').notNullable() // UCUM
    t.string('code').notNullable() // scheme:value
    t.string('site') // scheme:value
  })

  // What happened to a study that no other table tells: replaced instances, superseded results, operators' acts.
  await knex.schema.createTable('study_events', (t) => {
    t.increments('id')
    t.integer('study_id').notNullable().references('studies.id').onDelete('CASCADE').index()
    time(t, 'at').notNullable()
    t.string('kind', 32).notNullable()
    t.text('sentence').notNullable()
    json(t, 'detail').notNullable()
  })

  await knex.schema.createTable('quarantine', (t) => {
    t.increments('id')
    time(t, 'at').notNullable().index()
    t.string('code', 64).notNullable()
    t.text('reason').notNullable()
    t.string('via', 16).notNullable()
    t.string('sender').notNullable()
    t.string('sop_class_uid', 64)
    t.string('sop_instance_uid', 64)
    t.string('transfer_syntax_uid', 64)
    t.string('file').notNullable().unique()
    t.bigInteger('size').notNullable()
  })

  await knex.schema.createTable('refused_callers', (t) => {
    t.increments('id')
    t.string('calling_ae_title', 16).notNullable()
    t.string('called_ae_title', 16).notNullable()
    t.string('address', 64).notNullable()
    t.string('reason').notNullable()
    t.integer('times').notNullable().defaultTo(1)
    time(t, 'first_at').notNullable()
    time(t, 'last_at').notNullable()
    t.unique(['calling_ae_title', 'called_ae_title', 'address', 'reason'])
  })

  await knex.schema.createTable('pipelines', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('version').notNullable()
    t.string('digest', 80).notNullable().unique() // sha256:… over every file of the pipeline
    json(t, 'manifest').notNullable()
    time(t, 'first_seen_at').notNullable()
  })

  await knex.schema.createTable('users', (t) => {
    t.increments('id')
    t.string('name').notNullable().unique()
    t.string('password_hash').notNullable() // argon2id
    t.string('role', 16).notNullable()
    t.integer('must_change_password').notNullable().defaultTo(0)
    time(t, 'created_at').notNullable()
  })

  await knex.schema.createTable('sessions', (t) => {
    t.string('token_hash', 64).primary() // SHA-256 of the cookie
    t.integer('user_id').notNullable().references('users.id').onDelete('CASCADE')
    time(t, 'created_at').notNullable()
    time(t, 'expires_at').notNullable().index()
  })

  await knex.schema.createTable('tokens', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('token_hash', 64).notNullable().unique()
    t.string('role', 16).notNullable()
    time(t, 'created_at').notNullable()
    time(t, 'expires_at')
    time(t, 'last_used_at')
  })

  await knex.schema.createTable('audit', (t) => {
    t.increments('id')
    time(t, 'at').notNullable().index()
    t.string('actor').notNullable()
    t.string('action', 64).notNullable()
    t.string('subject')
    t.string('outcome', 16).notNullable()
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
