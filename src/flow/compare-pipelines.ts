import type { Knex } from 'knex'
import type { Objects } from '../store/objects.ts'
import { type Agreement, agreementOf, type Difference, grouped } from './agreement.ts'
import type { Members } from './routable-study.ts'
import type { InferPayload } from './route-revision.ts'
import { compareSegmentations } from './segment-overlap.ts'
import { inputsOf } from './standing-results.ts'

/** A pipeline as it is known by its digests: several, where its files changed under one version. */
export interface ComparedPipeline {
  /** As it was asked for. */
  reference: string
  /** `name@sha256:…`, the last seen first. */
  pinned: string[]
}

/** What two pipelines found in the studies that both have run on, with the same input. */
export interface PipelineComparison {
  a: ComparedPipeline
  b: ComparedPipeline
  /** Study Instance UIDs, the newest first. */
  studies: string[]
  /** Studies with results of both that had other inputs. */
  otherInput: number
  measurements: Agreement[]
  segments: {
    role: string
    label: string
    studies: number
    mean: number
    least: { studyInstanceUID: string; dice: number }
  }[]
  /** Segmentations that cannot be laid over each other, and measurements and segments that only one of them has: a sentence each. */
  remarks: string[]
}

/**
 * The digests that a reference means: `name@1.2.0` every one that was installed under the version, `name@sha256:…` one (eight digits are
 * enough), `name` those of the version that was installed last.
 * @returns none where no such pipeline was ever installed
 */
export async function knownDigests(database: Knex, reference: string): Promise<ComparedPipeline> {
  const [name = '', which] = reference.split('@')
  const rows: { version: string; digest: string }[] = await database('pipelines')
    .where({ name })
    .orderBy('id', 'desc')
    .select('version', 'digest')
  const meant = rows.filter(({ version, digest }) =>
    which === undefined
      ? version === rows[0]?.version
      : which.startsWith('sha256:')
        ? which.length >= 15 && digest.startsWith(which)
        : version === which,
  )
  return { reference, pinned: meant.map(({ digest }) => `${name}@${digest}`) }
}

/** Compares what two pipelines found, on at most so many studies, the newest first. */
export async function comparePipelines(
  { a, b }: { a: ComparedPipeline; b: ComparedPipeline },
  { database, objects, studies }: { database: Knex; objects: Pick<Objects, 'pathOf'>; studies: number },
): Promise<PipelineComparison> {
  const comparison: PipelineComparison = {
    a,
    b,
    studies: [],
    otherInput: 0,
    measurements: [],
    segments: [],
    remarks: [],
  }
  const differences: Difference[] = []
  const overlaps: Overlap[] = []
  for (const study of await studiesOfBoth(database, { a, b })) {
    if (comparison.studies.length >= studies) break
    const pair = await pairOf(database, study.id, { a, b })
    if (!pair) {
      comparison.otherInput++
      continue
    }
    const { studyInstanceUID } = study
    comparison.studies.push(studyInstanceUID)
    differences.push(...(await differencesOf(database, pair, studyInstanceUID)))
    overlaps.push(...(await overlapsOf({ database, objects }, { ...pair, studyInstanceUID }, comparison.remarks)))
  }
  comparison.measurements = agreementOf(differences, comparison.remarks)
  comparison.segments = summedUp(overlaps)
  return comparison
}

interface Both {
  a: ComparedPipeline
  b: ComparedPipeline
}

async function studiesOfBoth(database: Knex, { a, b }: Both): Promise<{ id: number; studyInstanceUID: string }[]> {
  const ofOne = ({ pinned }: ComparedPipeline) => database('results').select('study_id').whereIn('pipeline', pinned)
  return await database('studies')
    .whereIn('id', ofOne(a))
    .whereIn('id', ofOne(b))
    .orderBy('id', 'desc')
    .select({ id: 'id', studyInstanceUID: 'study_instance_uid' })
}

interface Run {
  jobId: string
  pipeline: string
  /** What it ran on, as text. */
  input: string
}

/** The newest runs of both on the same input. */
async function pairOf(database: Knex, studyId: number, { a, b }: Both): Promise<{ a: Run; b: Run } | null> {
  const runs = await runsOf(database, studyId)
  const [ofA, ofB] = [a, b].map(({ pinned }) => runs.filter(({ pipeline }) => pinned.includes(pipeline))) as [
    Run[],
    Run[],
  ]
  for (const run of ofA) {
    // One run is not compared with itself.
    const other = ofB.find(({ input, jobId }) => input === run.input && jobId !== run.jobId)
    if (other) return { a: run, b: other }
  }
  return null
}

async function runsOf(database: Knex, studyId: number): Promise<Run[]> {
  const rows = await database('results')
    .join('jobs', 'jobs.id', 'results.job_id')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .where('results.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'jobs.id'])
    .distinct<{ jobId: string; pipeline: string; payload: string; members: string; number: number }[]>({
      jobId: 'jobs.id',
      pipeline: 'results.pipeline',
      payload: 'jobs.payload',
      members: 'revisions.members',
      number: 'revisions.number',
    })
  return rows.map(({ jobId, pipeline, payload, members }) => ({
    jobId,
    pipeline,
    input: inputsOf(JSON.parse(payload) as InferPayload, JSON.parse(members) as Members),
  }))
}

async function differencesOf(
  database: Knex,
  { a, b }: { a: Run; b: Run },
  studyInstanceUID: string,
): Promise<Difference[]> {
  const rows: { jobId: string; name: string; value: number; unit: string; code: string; site: string | null }[] =
    await database('findings')
      .whereIn('job_id', [a.jobId, b.jobId])
      .orderBy('id')
      .select({ jobId: 'job_id', name: 'name', value: 'value', unit: 'unit', code: 'code', site: 'site' })
  const found = new Map<string, Difference>()
  for (const { jobId, value, name, unit, code, site } of rows) {
    const key = JSON.stringify([name, unit, code, site])
    const difference = found.get(key) ?? { name, unit, code, site, studyInstanceUID, a: null, b: null }
    difference[jobId === a.jobId ? 'a' : 'b'] = value
    found.set(key, difference)
  }
  return [...found.values()]
}

interface Overlap {
  role: string
  label: string
  dice: number
  studyInstanceUID: string
}

interface ComparedRuns {
  a: Run
  b: Run
  studyInstanceUID: string
}

async function overlapsOf(
  { database, objects }: { database: Knex; objects: Pick<Objects, 'pathOf'> },
  { a, b, studyInstanceUID }: ComparedRuns,
  remarks: string[],
): Promise<Overlap[]> {
  const rows: { jobId: string; role: string; key: string }[] = await database('results')
    .whereIn('job_id', [a.jobId, b.jobId])
    .andWhere({ modality: 'SEG' })
    .orderBy('id')
    .select({ jobId: 'job_id', role: 'role', key: 'object_key' })
  const overlaps: Overlap[] = []
  for (const { role, key } of rows.filter(({ jobId }) => jobId === a.jobId)) {
    const other = rows.find((row) => row.jobId === b.jobId && row.role === role)
    if (!other) {
      remarks.push(`study ${studyInstanceUID}: only the first has the result ${role}`)
      continue
    }
    const compared = await compareSegmentations(await objects.pathOf(key), await objects.pathOf(other.key))
    if (compared.otherGrid !== null)
      remarks.push(`study ${studyInstanceUID}: ${role} lies on other grids: ${compared.otherGrid}`)
    else for (const { label, dice } of compared.segments) overlaps.push({ role, label, dice, studyInstanceUID })
  }
  for (const { role, jobId } of rows)
    if (jobId === b.jobId && !rows.some((row) => row.jobId === a.jobId && row.role === role))
      remarks.push(`study ${studyInstanceUID}: only the second has the result ${role}`)
  return overlaps
}

function summedUp(overlaps: readonly Overlap[]): PipelineComparison['segments'] {
  const bySegment = grouped(overlaps, ({ role, label }) => `${role} ${label}`)
  return [...bySegment.values()].flatMap((of) => {
    const [first] = of
    if (!first) return []
    const least = of.reduce((worst, one) => (one.dice < worst.dice ? one : worst))
    return {
      role: first.role,
      label: first.label,
      studies: of.length,
      mean: of.reduce((sum, { dice }) => sum + dice, 0) / of.length,
      least: { studyInstanceUID: least.studyInstanceUID, dice: least.dice },
    }
  })
}
