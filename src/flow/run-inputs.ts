import type { Knex } from 'knex'
import { StudyActError } from '../admin/api-study-acts.ts'
import type { Pipeline } from '../infer/load-pipelines.ts'
import type { Members } from './routable-study.ts'

interface SeriesRow {
  series_instance_uid: string
  modality: string | null
}

/**
 * The series that a pipeline is to take, for a person who runs it: as chosen, and for inputs that are left out the one series of a modality
 * that the input takes.
 * @throws StudyActError `bad-inputs` with what is wrong
 */
export async function chosenInputs(
  database: Knex,
  {
    study,
    members,
    pipeline,
    chosen,
  }: {
    study: { id: number }
    members: Members
    pipeline: Pick<Pipeline, 'name' | 'inputs'>
    chosen: Readonly<Record<string, string>>
  },
): Promise<Record<string, string>> {
  const names = pipeline.inputs.map(({ name }) => name)
  const unknown = Object.keys(chosen).find((name) => !names.includes(name))
  if (unknown !== undefined) throw bad(`${pipeline.name} has no input ${unknown}: it takes ${names.join(', ')}`)
  const rows: SeriesRow[] = await database('series')
    .where({ study_id: study.id, origin: 'source' })
    .orderBy('series_instance_uid')
    .select('series_instance_uid', 'modality')
  const series = rows.filter(({ series_instance_uid: uid }) => (members[uid]?.length ?? 0) > 0)
  const inputs: Record<string, string> = {}
  for (const input of pipeline.inputs) {
    const wanted = chosen[input.name]
    if (input.from === 'prior') {
      if (input.required)
        throw bad(`the input ${input.name} is of an earlier study: a route finds it, and can be decided again`)
      continue
    }
    if (wanted !== undefined) {
      if (!series.some(({ series_instance_uid: uid }) => uid === wanted))
        throw bad(`${input.name}: the newest revision has no series ${wanted}`)
      inputs[input.name] = wanted
      continue
    }
    const fitting = series.filter(({ modality }) => modality !== null && input.modality.includes(modality))
    const [only] = fitting
    if (only && fitting.length === 1) inputs[input.name] = only.series_instance_uid
    else if (input.required)
      throw bad(
        `${input.name}: ${fitting.length === 0 ? 'no series' : `${fitting.length} series`} of the modality ${input.modality.join(' or ')}: say which it is to take`,
      )
  }
  return inputs
}

function bad(reason: string): StudyActError {
  return new StudyActError('bad-inputs', reason)
}
