import type { Knex } from 'knex'
import { RequestError } from '../dicomweb/request-error.ts'
import { effort } from '../store/study-walk.ts'
import { instancesOf, seriesOf } from './search-contents.ts'

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
  const found = scope.instance === undefined ? await allBelow(database, scope) : await named(database, scope)
  if (found.length === 0) throw new RequestError('not-found', `There is no such ${kindOf(scope)} here.`)
  return found
}

/**
 * One instance.
 * @throws RequestError 'not-found'
 */
export async function findInstance(database: Knex, scope: Required<InstanceScope>): Promise<StoredInstance> {
  const [instance] = await findInstances(database, scope)
  return instance as StoredInstance
}

async function named(database: Knex, { study, series, instance }: InstanceScope): Promise<StoredInstance[]> {
  const query = storedInstances(database)
    .where('instances.sop_instance_uid', instance)
    .where('studies.study_instance_uid', study)
  if (series !== undefined) query.where('series.series_instance_uid', series)
  return await query
}

/** A part at a time, since a study may hold any number of instances. */
async function allBelow(database: Knex, { study, series }: InstanceScope): Promise<StoredInstance[]> {
  const row = await database('studies').where({ study_instance_uid: study }).first<{ id: number } | undefined>('id')
  if (row === undefined) return []
  const found: StoredInstance[] = []
  const narrow = (query: Knex.QueryBuilder) => {
    if (series !== undefined) query.where('series.series_instance_uid', series)
  }
  for await (const group of seriesOf(database, [row.id], narrow)) {
    for await (const ids of instancesOf(database, group, { keys: [], effort: effort(Infinity) })) {
      const rows: Row[] = await storedInstances(database).whereIn('instances.id', ids).select('instances.id')
      const byId = new Map(rows.map(({ id, ...instance }) => [id, instance]))
      for (const id of ids) {
        const instance = byId.get(id)
        if (instance) found.push(instance)
      }
    }
  }
  return found
}

type Row = StoredInstance & { id: number }

function storedInstances(database: Knex): Knex.QueryBuilder {
  return database('instances')
    .join('series', 'series.id', 'instances.series_id')
    .join('studies', 'studies.id', 'instances.study_id')
    .select({
      studyInstanceUID: 'studies.study_instance_uid',
      seriesInstanceUID: 'series.series_instance_uid',
      sopInstanceUID: 'instances.sop_instance_uid',
      sopClassUID: 'instances.sop_class_uid',
      transferSyntaxUID: 'instances.transfer_syntax_uid',
      size: 'instances.size',
      objectKey: 'instances.object_key',
    })
}

function kindOf(scope: InstanceScope): string {
  if (scope.instance !== undefined) return 'instance in this study and series'
  return scope.series !== undefined ? 'series in this study' : 'study'
}
