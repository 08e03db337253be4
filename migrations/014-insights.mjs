/**
 * What inferences found, in a form that can be counted and outlives the studies; what was evaluated for drift; and what feedback says of
 * single findings. What is there already is written into it by the node, in the background, with its own key (`filled`).
 * @param {import('knex').Knex} knex
 */
export async function up(knex) {
  const json = (t, name) => t.text(name)
  const time = (t, name) => t.string(name, 32)

  // One row at most: what belongs to all of it.
  await knex.schema.createTable('insight_state', (t) => {
    t.integer('id').primary()
    t.text('patient_key') // sealed: the key that patients' identifiers are hashed with
    t.integer('filled').notNullable() // 1: what was there before these tables is in them
    t.string('filled_after', 64).notNullable() // the last job that is
  })
  const [jobs] = await knex('jobs').where({ kind: 'infer' }).count({ n: '*' })
  await knex('insight_state').insert({ id: 1, filled: Number(jobs.n) === 0 ? 1 : 0, filled_after: '' })

  // Without references: they outlive study and job, which retention may delete.
  await knex.schema.createTable('insight_runs', (t) => {
    t.increments('id')
    t.string('job_id', 64).notNullable().unique()
    t.string('study_instance_uid', 64).notNullable().index()
    t.integer('revision').notNullable()
    t.integer('current').notNullable() // 1: of the newest revision
    t.string('route')
    t.string('pipeline').notNullable() // name
    t.string('digest', 80).notNullable()
    t.string('version')
    t.integer('shadow').notNullable()
    t.string('outcome', 16).notNullable() // done | refused | failed
    t.integer('duration_ms')
    time(t, 'at').notNullable() // when it ended
    t.string('patient_key', 64).index() // keyed hash of the patient's identifier; null: there is none
    t.string('study_date', 8) // YYYYMMDD
    t.integer('hour') // of the examination, as the scanner's clock says
    t.integer('weekday') // of the examination, 1: Monday
    t.double('age') // years
    t.string('sex', 8)
    t.string('modality', 32)
    t.string('body_part', 64)
    t.string('scanner', 200) // manufacturer, model and station
    t.string('manufacturer', 64)
    t.string('model', 64)
    t.string('station', 64)
    t.string('protocol', 64)
    t.string('kernel', 64)
    t.double('slice_thickness') // mm
    t.double('pixel_spacing') // mm
    t.double('kvp')
    t.double('field_strength') // T
    t.integer('images')
    t.index(['at', 'id'])
    t.index(['pipeline', 'version', 'at'])
  })

  await knex.schema.createTable('insight_values', (t) => {
    t.increments('id')
    t.integer('run_id').notNullable().references('insight_runs.id').onDelete('CASCADE').index()
    t.string('name').notNullable()
    t.string('code').notNullable() // scheme:value
    t.string('site').notNullable() // scheme:value; empty: of the whole input
    t.string('unit').notNullable() // UCUM
    t.double('value').notNullable()
    t.index(['name', 'code'])
  })

  await knex.schema.createTable('drift_evaluations', (t) => {
    t.increments('id')
    time(t, 'at').notNullable().index()
    t.string('pipeline').notNullable()
    t.string('version') // null: not known
    t.integer('latest').notNullable() // 1: the newest of its pipeline and version
    t.string('verdict', 16).notNullable() // too-few | none | moderate | strong
    json(t, 'reference').notNullable() // {kind, from, to, runs}
    json(t, 'window').notNullable() // {from, to, runs}
    t.index(['pipeline', 'version', 'latest'])
  })

  await knex.schema.createTable('drift_measures', (t) => {
    t.increments('id')
    t.integer('evaluation_id').notNullable().references('drift_evaluations.id').onDelete('CASCADE').index()
    t.string('subject').notNullable() // input:age, output:["Volume","SCT:1","","mL"]
    t.string('label').notNullable()
    t.string('side', 8).notNullable() // input | output
    t.string('kind', 16).notNullable() // number | category
    t.integer('reference').notNullable() // values
    t.integer('window').notNullable()
    t.string('verdict', 16).notNullable()
    t.double('stability') // population stability index
    t.double('statistic') // Kolmogorov-Smirnov, or chi-square
    t.integer('degrees') // of freedom, of chi-square
    t.double('probability')
    json(t, 'bins').notNullable() // [{label, reference, window}]
  })

  await knex.schema.alterTable('feedback', (t) => {
    t.string('job_id', 64).index() // of the run; null: not known
    t.text('truth') // JSON: [{name, site, present}]; null: nothing was said of single findings
    t.string('verified_instance_uid', 64) // the verified document that an acceptance made
  })
  await knex('feedback').update({
    job_id: knex('results').where('results.sop_instance_uid', knex.ref('feedback.sop_instance_uid')).select('job_id'),
  })
}

/** Forward only: a backup is the way back. */
export async function down() {
  throw new Error('migrations are forward only: restore a backup instead')
}
