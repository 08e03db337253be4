import type { Knex } from 'knex'
import { searchKey } from '../../src/dicom/search-key.ts'

const pipeline = `ct-lung-density@sha256:${'3f9c2a71d0be'.repeat(5)}abcd`
const expression =
  "study.ModalitiesInStudy.exists(m, m == 'CT') && series.exists(s, s.Modality == 'CT' && s.SliceThickness <= 3.0)"

export interface SeededStudy {
  uid: string
  state: 'receiving' | 'complete' | 'processing' | 'done' | 'failed'
  patient: [name: string, id: string]
  description: string
  modality: string
  instances: number
  story: 'receiving' | 'processing' | 'found' | 'revised' | 'refused' | 'unmatched' | 'delivery-failed' | 'infer-failed'
}

export const studies: SeededStudy[] = [
  {
    uid: '1.2.826.0.1.3680043.8.498.101',
    state: 'receiving',
    patient: ['BERGSTRÖM^ANNA', '4711-02'],
    description: 'CT Thorax nativ',
    modality: 'CT',
    instances: 87,
    story: 'receiving',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.102',
    state: 'processing',
    patient: ['OKAFOR^DAVID', '20391'],
    description: 'CT chest low dose',
    modality: 'CT',
    instances: 312,
    story: 'processing',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.103',
    state: 'done',
    patient: ['Yamada^Tarou=山田^太郎', 'H-000318'],
    description: 'LOW DOSE SCREENING CT',
    modality: 'CT',
    instances: 143,
    story: 'found',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.104',
    state: 'done',
    patient: ['MEYER^HANS-PETER', '88120'],
    description: 'CT Thorax, nachgesendet',
    modality: 'CT',
    instances: 240,
    story: 'revised',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.105',
    state: 'done',
    patient: ['ROSSI^GIULIA', 'P77'],
    description: 'CT chest abdomen pelvis 5 mm',
    modality: 'CT',
    instances: 128,
    story: 'refused',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.106',
    state: 'done',
    patient: ['NGUYEN^LAN', '553-11'],
    description: 'MR Prostata',
    modality: 'MR',
    instances: 96,
    story: 'unmatched',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.107',
    state: 'failed',
    patient: ['<b>SCRIPT</b>^"X"', '<img src=x onerror=alert(1)>'],
    description: '<script>alert(1)</script>',
    modality: 'CT',
    instances: 201,
    story: 'delivery-failed',
  },
  {
    uid: '1.2.826.0.1.3680043.8.498.108',
    state: 'failed',
    patient: ['', ''],
    description: '',
    modality: 'CT',
    instances: 61,
    story: 'infer-failed',
  },
]

/** Fills a database with studies in every state. @param base the moment of the first arrival */
export async function seedStudies(knex: Knex, base = Date.now() - 3_600_000): Promise<void> {
  for (const [index, study] of studies.entries()) await seedStudy(knex, study, index + 1, base + index * 60_000)
}

async function seedStudy(knex: Knex, study: SeededStudy, id: number, begun: number): Promise<void> {
  const at = (seconds: number) => new Date(begun + seconds * 1000).toISOString()
  const series = `${study.uid}.1`
  const revisions = study.story === 'receiving' ? 0 : study.story === 'revised' ? 2 : 1
  await knex('studies').insert({
    id,
    study_instance_uid: study.uid,
    patient_name: study.patient[0] || null,
    patient_id: study.patient[1] || null,
    patient_birth_date: '19580412',
    patient_sex: 'F',
    study_date: '20260114',
    accession_number: study.patient[1] ? `ACC-${9000 + id}` : null,
    study_description: study.description || null,
    header: '{}',
    search_date: '20260114',
    search_text: searchKey([...study.patient, `ACC-${9000 + id}`, study.description].join('\n')),
    state: study.state,
    revision: revisions,
    changed: revisions === 0 ? 1 : 0,
    source_instances: study.instances,
    last_instance_at: at(9),
    created_at: at(0),
    updated_at: at(30 + revisions * 60),
  })
  await knex('series').insert({
    id,
    study_id: id,
    series_instance_uid: series,
    modality: study.modality,
    origin: 'source',
    instances: study.instances,
    header: '{}',
    created_at: at(0),
  })
  const arrival = { study_id: id, series_id: id, via: 'c-store', sender: 'CT1@10.0.0.5' }
  await knex('arrivals').insert({
    ...arrival,
    association: `a${id}`,
    first_at: at(0),
    last_at: at(9),
    instances: study.instances - (revisions === 2 ? 3 : 0),
  })
  if (revisions === 2)
    await knex('arrivals').insert({
      ...arrival,
      association: `b${id}`,
      first_at: at(60),
      last_at: at(61),
      instances: 3,
      identical: 12,
      replaced: 1,
    })
  for (let number = 1; number <= revisions; number++) await seedRevision(knex, study, { id, number, at, series })
}

interface Place {
  id: number
  number: number
  at: (seconds: number) => string
  series: string
}

async function seedRevision(knex: Knex, study: SeededStudy, { id, number, at, series }: Place): Promise<void> {
  const later = (number - 1) * 70
  const revision = id * 10 + number
  await knex('revisions').insert({
    id: revision,
    study_id: id,
    number,
    completed_at: at(later + 14),
    reason: 'quiet 5 s after association release',
    instances: study.instances,
    members: '{}',
    routed: 1,
  })
  const matched = study.story !== 'unmatched'
  const decision = {
    study_id: id,
    revision_id: revision,
    route_version: 1,
    at: at(later + 14),
    because: JSON.stringify({
      'series.Modality': study.modality,
      'series.SliceThickness': matched ? 1.25 : null,
      'series.ConvolutionKernel': ['B30f'],
    }),
  }
  await knex('decisions').insert({
    ...decision,
    route: 'lung-density',
    matched: matched ? 1 : 0,
    expression,
    series: JSON.stringify(matched ? { ct: series } : {}),
    reason: matched
      ? 'the series with the thinnest slices (1.25 mm, 143 instances) was chosen for ct'
      : `no series has Modality 'CT': the study has ${study.modality}`,
  })
  await knex('decisions').insert({
    ...decision,
    route: 'bone-age',
    matched: 0,
    expression: "study.BodyPartExamined == 'HAND'",
    series: '{}',
    because: JSON.stringify({ 'study.BodyPartExamined': 'CHEST' }),
    reason: "BodyPartExamined is 'CHEST', and the rule asks for 'HAND'",
  })
  if (!matched) return
  const job = {
    id: `infer-${revision}`,
    kind: 'infer',
    study_id: id,
    revision_id: revision,
    route: 'lung-density',
    pipeline,
    payload: '{}',
    run_after: at(later + 14),
    created_at: at(later + 14),
    started_at: at(later + 15),
  }
  const attempt = { job_id: job.id, at: at(later + 15), provider: 'cpu' }
  switch (study.story) {
    case 'processing':
      await knex('jobs').insert({ ...job, state: 'running', attempts: 1 })
      return
    case 'refused': {
      const error = 'slice thickness 5 mm is outside the declared limits of ct-lung-density: at most 3 mm'
      await knex('jobs').insert({ ...job, state: 'failed', refused: 1, error, attempts: 1, finished_at: at(16) })
      await knex('job_attempts').insert({ ...attempt, ms: 812, error })
      return
    }
    case 'infer-failed': {
      const error = 'the worker was killed at its deadline of 120 s'
      await knex('jobs').insert({ ...job, state: 'failed', error, attempts: 2, finished_at: at(260) })
      await knex('job_attempts').insert([
        { ...attempt, ms: 120_000, error },
        { ...attempt, at: at(138), ms: 120_000, error },
      ])
      return
    }
    default:
      await knex('jobs').insert({ ...job, state: 'done', attempts: 1, finished_at: at(later + 20) })
      await knex('job_attempts').insert({ ...attempt, ms: 4120 })
      await seedResults(knex, study, { id, number, at: (seconds) => at(later + seconds), series })
  }
}

async function seedResults(knex: Knex, study: SeededStudy, { id, number, at }: Place): Promise<void> {
  const revision = id * 10 + number
  const failing = study.story === 'delivery-failed'
  const destinations = failing ? ['self', 'pacs'] : ['self']
  const error = 'STOW-RS was answered with HTTP 401 (the credentials are missing or wrong)'
  for (const destination of destinations) {
    const failed = destination === 'pacs'
    const state = failed ? { state: 'failed', error, finished_at: at(24) } : { state: 'done', finished_at: at(22) }
    await knex('jobs').insert({
      id: `deliver-${destination}-${revision}`,
      kind: 'deliver',
      study_id: id,
      revision_id: revision,
      destination,
      payload: '{}',
      attempts: 1,
      run_after: at(20),
      created_at: at(20),
      started_at: at(20),
      ...state,
    })
    await knex('job_attempts').insert({
      job_id: `deliver-${destination}-${revision}`,
      at: at(20),
      ms: 310,
      error: failed ? error : null,
    })
  }
  const roles: [role: string, modality: string, sopClass: string][] = [
    ['segmentation', 'SEG', '1.2.840.10008.5.1.4.1.1.66.4'],
    ['measurements', 'SR', '1.2.840.10008.5.1.4.1.1.88.34'],
    ['planar', 'SR', '1.2.840.10008.5.1.4.1.1.88.34'],
  ]
  for (const [index, [role, modality, sopClass]] of roles.entries()) {
    const result = revision * 10 + index
    const uid = `2.25.2938471029384710293847102938471${result}`
    const supersedes = number > 1 ? `2.25.2938471029384710293847102938471${result - 10}` : null
    await knex('results').insert({
      id: result,
      job_id: `infer-${revision}`,
      study_id: id,
      revision_id: revision,
      pipeline,
      role,
      sop_instance_uid: uid,
      sop_class_uid: sopClass,
      series_instance_uid: `${uid}.7`,
      modality,
      object_key: `results/${uid}.dcm`,
      size: 81_234,
      sha256: '0',
      supersedes,
      created_at: at(20),
    })
    for (const destination of destinations) {
      const failed = destination === 'pacs'
      const proof = `listed by QIDO-RS and returned by WADO-RS with identical data set (${(81_234 + index).toLocaleString('en-US')} bytes, sha256 ab12cd34ef56…) at ${at(21)}`
      await knex('deliveries').insert({
        result_id: result,
        job_id: `deliver-${destination}-${revision}`,
        destination,
        state: failed ? 'failed' : 'verified',
        proof: failed ? null : proof,
        error: failed ? error : null,
        updated_at: at(21),
      })
    }
  }
  await seedFindings(knex, id, revision)
  if (number > 1)
    await knex('study_events').insert({
      study_id: id,
      at: at(0),
      kind: 'replaced',
      sentence: 'an instance came again with other bytes: the newer is kept, the older is kept aside',
      detail: '{}',
    })
}

async function seedFindings(knex: Knex, id: number, revision: number): Promise<void> {
  const [left, right] = ['SCT:44029006', 'SCT:3341006']
  const values: [name: string, value: number, unit: string, code: string, site: string | null][] = [
    ['Lung volume', 4.312, 'L', 'SCT:118565006', null],
    ['Lung volume', 1.983, 'L', 'SCT:118565006', left],
    ['Lung volume', 2.329, 'L', 'SCT:118565006', right],
    ['Mean lung density', -842.3, "[hnsf'U]", 'DCM:112031', null],
    ['Mean lung density', -839.1, "[hnsf'U]", 'DCM:112031', left],
    ['Mean lung density', -845.2, "[hnsf'U]", 'DCM:112031', right],
    ['15th percentile density', -921, "[hnsf'U]", 'HILUM:P15', null],
    ['LAA-950', 6.41, '%', 'HILUM:LAA950', null],
    ['LAA-950', 5.2, '%', 'HILUM:LAA950', left],
    ['LAA-950', 7.43, '%', 'HILUM:LAA950', right],
  ]
  for (const [name, value, unit, code, site] of values)
    await knex('findings').insert({
      job_id: `infer-${revision}`,
      study_id: id,
      revision_id: revision,
      pipeline,
      name,
      value,
      unit,
      code,
      site,
    })
}
