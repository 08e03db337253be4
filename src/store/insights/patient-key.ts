import { createHmac, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import type { SecretBox } from '../secret-box.ts'

const purpose = 'insights: key of patients'

/** Names a patient by a hash that cannot be had from the identifier without the node's key; null where there is no identifier. */
export type PatientKey = (study: DicomJson) => string | null

/**
 * The hash of patients' identifiers: HMAC-SHA-256 of issuer and Patient ID. Its key is made once, lies sealed in the database, and
 * leaves the node in no export.
 * @throws StoreError `cannot-unseal` where the data folder has not the file that it was sealed with
 */
export async function patientKeyOf(database: Knex, box: Pick<SecretBox, 'seal' | 'open'>): Promise<PatientKey> {
  await database('insight_state')
    .where({ id: 1 })
    .whereNull('patient_key')
    .update({ patient_key: box.seal(randomBytes(32).toString('base64'), purpose) })
  const kept = await database('insight_state').where({ id: 1 }).first<{ patient_key: string }>('patient_key')
  const key = Buffer.from(box.open(kept.patient_key, purpose), 'base64')
  return (study) => {
    const id = textOf(study, 'PatientID')?.trim()
    if (!id) return null
    const issuer = textOf(study, 'IssuerOfPatientID')?.trim() ?? ''
    return createHmac('sha256', key).update(`${issuer}\0${id}`, 'utf8').digest('hex')
  }
}
