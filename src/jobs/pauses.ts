import type { Knex } from 'knex'
import { JobError } from './error.ts'

export type PauseScope = 'all' | 'kind' | 'pipeline' | 'destination'

/** Jobs that are not begun until somebody resumes them; those that run already end. Kept in the database: a restart changes nothing. */
export interface Pause {
  id: number
  scope: PauseScope
  /** `infer` or `deliver`, the name of a pipeline or of a destination; empty where the scope is `all`. */
  name: string
  reason: string
  /** Who paused them. */
  author: string
  /** ISO 8601 UTC. */
  at: string
}

/** Everything that is paused, the earliest first. */
export async function pausesOf(database: Knex): Promise<Pause[]> {
  return await database('pauses').orderBy('id').select<Pause[]>('id', 'scope', 'name', 'reason', 'author', 'at')
}

/** Pauses jobs; where the same is paused already, the new reason counts. */
export async function pause(database: Knex, what: Omit<Pause, 'id'>): Promise<Pause> {
  const [row] = await database('pauses')
    .insert(what)
    .onConflict(['scope', 'name'])
    .merge(['reason', 'author', 'at'])
    .returning<Pause[]>(['id', 'scope', 'name', 'reason', 'author', 'at'])
  if (!row) throw new Error('the pause was not written')
  return row
}

/** Ends a pause, and tells what it was. @throws JobError `pause-unknown` */
export async function resume(database: Knex, id: number): Promise<Pause> {
  const row = (await pausesOf(database)).find((one) => one.id === id)
  const deleted = row === undefined ? 0 : await database('pauses').where({ id }).delete()
  if (row === undefined || deleted === 0) throw new JobError('pause-unknown', `nothing is paused by the number ${id}`)
  return row
}

/** Adds a condition to rows of `jobs`: those that one of the pauses keeps back. None of no pauses. */
export function held(jobs: Knex.QueryBuilder, pauses: readonly Pause[]): void {
  jobs.whereRaw('1 = 0')
  for (const one of pauses) jobs.orWhere((each) => heldBy(each, one))
}

function heldBy(jobs: Knex.QueryBuilder, { scope, name }: Pause): void {
  switch (scope) {
    case 'all':
      jobs.whereRaw('1 = 1')
      return
    case 'kind':
      jobs.where('jobs.kind', name)
      return
    case 'destination':
      jobs.where({ 'jobs.kind': 'deliver', 'jobs.destination': name })
      return
    case 'pipeline':
      jobs.where('jobs.kind', 'infer').andWhere((named) => wherePipeline(named, name))
  }
}

/** Adds a condition to rows of `jobs`: those of a pipeline, by its name for all of its versions, or `name@sha256:…`. */
export function wherePipeline(jobs: Knex.QueryBuilder, name: string): void {
  jobs.where('jobs.pipeline', name)
  if (!name.includes('@')) jobs.orWhereRaw(`jobs.pipeline like ? escape '\\'`, [`${name.replace(/[\\%_]/g, '\\$&')}@%`])
}

/** The pause that keeps a job back, or null. */
export function pauseOf(
  job: { kind: string; pipeline: string | null; destination: string | null },
  pauses: readonly Pause[],
): Pause | null {
  const found = pauses.find(({ scope, name }) => {
    if (scope === 'all') return true
    if (scope === 'kind') return job.kind === name
    if (scope === 'destination') return job.kind === 'deliver' && job.destination === name
    return job.kind === 'infer' && (job.pipeline === name || job.pipeline?.startsWith(`${name}@`) === true)
  })
  return found ?? null
}

/** What a pause keeps back, in words. */
export function pauseSentence({
  scope,
  name,
  author,
  reason,
}: Pick<Pause, 'scope' | 'name' | 'author' | 'reason'>): string {
  const what = {
    all: 'all jobs are',
    kind: name === 'deliver' ? 'deliveries are' : 'inferences are',
    pipeline: `the pipeline ${name} is`,
    destination: `the destination ${name} is`,
  }[scope]
  return `${what} paused by ${author}: ${reason}`
}
