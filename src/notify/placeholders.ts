import type { Knex } from 'knex'
import type { EventDetail, NotificationEvent } from './events.ts'
import { parseTemplate, type Values } from './template.ts'

/** What templates may name, with the words for people; `phi`: who the patient is. */
export const placeholders = {
  event: ['what happened, as in critical', false],
  sentence: ['what happened, in one sentence', false],
  at: ['when, ISO 8601 UTC', false],
  urgent: ['there where it is urgent: {{#urgent}}…{{/urgent}}', false],
  node: ['the AE title of the node', false],
  studyInstanceUID: ['of the study', false],
  link: ['the address of the study’s page; empty where notify.publicUrl is not set', false],
  modalities: ['of the study, as in CT, SEG', false],
  route: ['the route', false],
  pipeline: ['the pipeline', false],
  destination: ['the destination', false],
  reason: ['why, of what failed', false],
  findings: ['a list: {{#findings}}{{name}} {{value}} {{unit}}{{/findings}}', false],
  name: ['of a finding, within findings', false],
  value: ['of a finding, within findings', false],
  unit: ['of a finding, UCUM, within findings', false],
  site: ['of a finding, within findings', false],
  patientName: ['Patient’s Name', true],
  patientID: ['Patient ID', true],
  patientBirthDate: ['Patient’s Birth Date', true],
  patientSex: ['Patient’s Sex', true],
  accessionNumber: ['Accession Number', true],
  studyDate: ['Study Date', true],
  studyTime: ['Study Time', true],
  studyDescription: ['Study Description', true],
  referringPhysicianName: ['Referring Physician’s Name', true],
} as const satisfies Record<string, readonly [description: string, phi: boolean]>

export interface Template {
  subject: string
  text: string
  html: string | null
  json: string | null
}

/** What is wrong with a template: what cannot be read, names that are none, and patient data where the target may not have any. */
export function templateProblems(template: Template, { phi }: { phi: boolean }): string[] {
  const problems: string[] = []
  for (const part of ['subject', 'text', 'html', 'json'] as const) {
    const text = template[part]
    if (text === null) continue
    const parsed = parseTemplate(text)
    if (!parsed.ok) {
      problems.push(`${part}: ${parsed.problem}`)
      continue
    }
    for (const name of parsed.names) {
      const known = Object.hasOwn(placeholders, name) ? placeholders[name as keyof typeof placeholders] : undefined
      if (!known) problems.push(`${part}: there is no placeholder {{${name}}}`)
      else if (known[1] && !phi)
        problems.push(`${part}: {{${name}}} says who the patient is, which this target may not be told`)
    }
  }
  return problems
}

interface StudyRow {
  study_instance_uid: string
  patient_name: string | null
  patient_id: string | null
  patient_birth_date: string | null
  patient_sex: string | null
  accession_number: string | null
  study_date: string | null
  study_time: string | null
  study_description: string | null
  referring_physician_name: string | null
}

/** A study as templates see it. */
export interface ToldStudy {
  /** Without who the patient is. */
  general: Values
  patient: Values
}

/** @returns null where the study is not here any more */
export async function toldStudy(database: Knex, studyId: number): Promise<ToldStudy | null> {
  const row = await database('studies').where({ id: studyId }).first<StudyRow | undefined>()
  if (!row) return null
  return {
    general: {
      studyInstanceUID: row.study_instance_uid,
      modalities: (await modalitiesOf(database, studyId)).join(', '),
    },
    patient: {
      patientName: row.patient_name,
      patientID: row.patient_id,
      patientBirthDate: row.patient_birth_date,
      patientSex: row.patient_sex,
      accessionNumber: row.accession_number,
      studyDate: row.study_date,
      studyTime: row.study_time,
      studyDescription: row.study_description,
      referringPhysicianName: row.referring_physician_name,
    },
  }
}

/** Of what came; in order. */
export async function modalitiesOf(database: Knex, studyId: number): Promise<string[]> {
  const found: (string | null)[] = await database('series').where({ study_id: studyId }).distinct().pluck('modality')
  return found.filter((one): one is string => one !== null && one !== '').sort()
}

/** What is told, as the values of a template. */
export interface Told {
  event: NotificationEvent
  at: string
  urgent: boolean
  detail: EventDetail
  study: ToldStudy | null
}

/** @param options.phi false: nothing of the patient is in the values, whatever a template asks for */
export function valuesOf(
  told: Told,
  { phi, node, publicUrl }: { phi: boolean; node: string; publicUrl: string },
): Values {
  const { event, at, urgent, detail, study } = told
  const { sentence, studyInstanceUID, route, pipeline, destination, reason, findings } = detail
  const uid = (study?.general.studyInstanceUID as string | undefined) ?? studyInstanceUID ?? null
  return {
    event,
    at,
    urgent,
    node,
    sentence,
    studyInstanceUID: uid,
    link: uid === null || publicUrl === '' ? null : `${publicUrl.replace(/\/+$/, '')}/admin/studies/${uid}`,
    modalities: study?.general.modalities ?? null,
    route: route ?? null,
    pipeline: pipeline?.split('@')[0] ?? null,
    destination: destination ?? null,
    reason: reason ?? null,
    findings: (findings ?? []).map(({ name, value, unit, site }) => ({ name, value, unit, site })),
    ...(phi && study ? study.patient : {}),
  }
}

/** A study for previews. */
export const sample: Omit<Told, 'event'> = {
  at: '2026-01-31T12:00:00.000Z',
  urgent: true,
  detail: {
    sentence: 'this is a sample',
    studyInstanceUID: '1.2.826.0.1.3680043.10.999.1',
    route: 'lung-density',
    pipeline: 'ct-lung-density',
    destination: 'pacs',
    reason: 'the destination does not answer',
    findings: [{ name: 'emphysema-index', value: 31.4, unit: '%', site: 'SCT:39607008' }],
  },
  study: {
    general: { studyInstanceUID: '1.2.826.0.1.3680043.10.999.1', modalities: 'CT' },
    patient: {
      patientName: 'Doe^Jane <b>&"',
      patientID: 'SAMPLE-1',
      patientBirthDate: '19600101',
      patientSex: 'F',
      accessionNumber: 'A-1',
      studyDate: '20260131',
      studyTime: '120000',
      studyDescription: 'CT chest',
      referringPhysicianName: 'Roe^Richard',
    },
  },
}
