import type { Knex } from 'knex'
import { RequestError } from '../dicomweb/request-error.ts'

/** What the index knows of an instance that is asked for by its UIDs. */
export interface StoredInstance {
  studyInstanceUID: string
  seriesInstanceUID: string
  sopInstanceUID: string
  sopClassUID: string
  transferSyntaxUID: string
  /** Bytes of the Part 10 file. */
  size: number
  objectKey: string
}

/** The UIDs that a WADO-RS URL names. */
export interface InstanceScope {
  study: string
  series?: string
  instance?: string
}

/**
 * The instances of a study, a series, or one instance, in the order of series and instance numbers.
 * @throws RequestError 'not-found' where there is none
 */
export async function findInstances(database: Knex, scope: InstanceScope): Promise<StoredInstance[]> {
  const query = database('instances')
    .join('series', 'series.id', 'instances.series_id')
    .join('studies', 'studies.id', 'instances.study_id')
    .where('studies.study_instance_uid', scope.study)
  if (scope.series !== undefined) query.where('series.series_instance_uid', scope.series)
  if (scope.instance !== undefined) query.where('instances.sop_instance_uid', scope.instance)
  const rows = (await query
    .select({
      studyInstanceUID: 'studies.study_instance_uid',
      seriesInstanceUID: 'series.series_instance_uid',
      sopInstanceUID: 'instances.sop_instance_uid',
      sopClassUID: 'instances.sop_class_uid',
      transferSyntaxUID: 'instances.transfer_syntax_uid',
      size: 'instances.size',
      objectKey: 'instances.object_key',
    })
    .orderBy([
      'series.series_number',
      'instances.series_id',
      'instances.instance_number',
      'instances.id',
    ])) as StoredInstance[]
  if (rows.length === 0) throw new RequestError('not-found', `There is no such ${kindOf(scope)} here.`)
  return rows
}

/**
 * One instance.
 * @throws RequestError 'not-found'
 */
export async function findInstance(database: Knex, scope: Required<InstanceScope>): Promise<StoredInstance> {
  const [instance] = await findInstances(database, scope)
  return instance as StoredInstance
}

function kindOf(scope: InstanceScope): string {
  if (scope.instance !== undefined) return 'instance in this study and series'
  return scope.series !== undefined ? 'series in this study' : 'study'
}
