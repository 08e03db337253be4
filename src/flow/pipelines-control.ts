import type { Knex } from 'knex'
import type { PipelinesDeps } from '../admin/api-pipelines.ts'
import { PipelineActError } from '../admin/api-pipelines.ts'
import { loadPipeline, type Pipeline } from '../infer/load-pipelines.ts'
import type { Log } from '../log.ts'
import { parseRouteDefinition } from '../route/route-definition.ts'
import { importInProcess } from './import-process.ts'
import { type InstalledPipelines, rememberPipeline } from './installed-pipelines.ts'
import { cardOf, reportOf } from './pipeline-card.ts'
import { pipelineStatistics } from './pipeline-statistics.ts'
import { PipelineUploads } from './pipeline-uploads.ts'

type Deps = PipelinesDeps['pipelines']
type Version = Awaited<ReturnType<Deps['list']>>[number]
type Answers = Parameters<Deps['check']>[1]

export interface PipelinesControlOptions {
  database: Knex
  installed: InstalledPipelines
  /** Where the pipelines are. */
  folder: string
  dataDir: string
  /** Bytes of an upload. */
  mostBytes: number
  /** Bytes that uploads leave free. */
  minimumFree: number
  log: Log
  /** Called when what can be run has changed. */
  onChange?: () => void
  now?: () => Date
}

/** The installed pipelines, as people look at them and change them; and new ones. */
export class PipelinesControl implements Deps {
  readonly #options: PipelinesControlOptions
  readonly #uploads: PipelineUploads
  /** One at a time: a model takes memory. */
  #importing: Promise<unknown> = Promise.resolve()

  constructor(options: PipelinesControlOptions) {
    this.#options = options
    this.#uploads = new PipelineUploads(options)
  }

  async list(): Promise<Version[]> {
    const { database, installed } = this.#options
    const disabled: { digest: string; author: string; reason: string | null; at: string }[] = await database(
      'disabled_pipelines',
    ).select('digest', 'author', 'reason', 'at')
    const seen: { digest: string; first_seen_at: string }[] = await database('pipelines').select(
      'digest',
      'first_seen_at',
    )
    const users = await usesOf(database)
    return installed.all.map((pipeline) => {
      const { name, version, digest, title, description, intendedUse, limits, manufacturer, demonstrator } = pipeline
      const off = disabled.find((one) => one.digest === digest)
      return {
        name,
        version,
        digest,
        title,
        description,
        intendedUse,
        limits,
        manufacturer,
        demonstrator,
        isDefault: installed.get(name)?.digest === digest,
        enabled: off === undefined,
        disabled: off ? { by: off.author, at: off.at, reason: off.reason } : null,
        firstSeenAt: seen.find((one) => one.digest === digest)?.first_seen_at ?? null,
        usedBy: users.flatMap(({ reference, ...use }) => (installed.get(reference)?.digest === digest ? [use] : [])),
      }
    })
  }

  async card(name: string, version: string) {
    const pipeline = this.#find(name, version)
    return await cardOf(pipeline, await this.#shown(pipeline))
  }

  async evaluation(name: string, version: string): Promise<string> {
    const report = await reportOf(this.#find(name, version))
    if (report === null)
      throw new PipelineActError(
        'evaluation-unknown',
        'its folder holds no evaluation/report.html: hilum evaluate writes one',
      )
    return report
  }

  async statistics(name: string, days: number) {
    const { database, now } = this.#options
    const since = new Date((now?.() ?? new Date()).getTime() - days * 86_400_000).toISOString()
    return await pipelineStatistics(database, name, since)
  }

  async enable(name: string, version: string, _by: string): Promise<Version> {
    const pipeline = this.#find(name, version)
    await this.#options.database('disabled_pipelines').where({ digest: pipeline.digest }).delete()
    return await this.#switched(pipeline)
  }

  async disable(name: string, version: string, reason: string | null, author: string): Promise<Version> {
    const { database, now } = this.#options
    const pipeline = this.#find(name, version)
    const at = (now?.() ?? new Date()).toISOString()
    await database('disabled_pipelines')
      .insert({ digest: pipeline.digest, author, reason, at })
      .onConflict('digest')
      .merge()
    return await this.#switched(pipeline)
  }

  async uploads() {
    return await this.#uploads.list()
  }

  async upload(stream: NodeJS.ReadableStream, file: string, by: string) {
    return await this.#uploads.take(stream, file, by)
  }

  async check(id: string, answers: Answers) {
    const { folder: _, questions, problems, ...looked } = await this.#import(id, answers)
    const same = this.#options.installed.all.find(
      ({ name, version }) => name === looked.name && version === looked.version,
    )
    if (same)
      problems.push(`${same.name} ${same.version} is installed already: give it another version, or another name`)
    return {
      ...looked,
      questions: questions.map(({ id: question, text, choices, default: proposal, answer }) => ({
        id: question,
        text,
        kind: choices ? ('choice' as const) : ('text' as const),
        choices: [...(choices ?? [])],
        proposal: proposal ?? null,
        answer,
      })),
      problems,
      installable: looked.answered && problems.length === 0 && looked.manifest !== null,
    }
  }

  async install(id: string, answers: Answers, by: string): Promise<Version> {
    const { database, folder, installed, log, now, onChange } = this.#options
    const found = await this.check(id, answers)
    if (!found.installable || found.name === null || found.version === null)
      throw new PipelineActError(
        'not-installable',
        found.answered
          ? `it does not pass the check: ${found.problems.join('; ')}`
          : 'a question has to be answered first',
      )
    const task = await this.#uploads.taskOf(id, answers)
    const place = { name: found.name, version: found.version, pipelines: folder }
    const to = await this.#uploads.install(task.whole ? task.folder : task.out, place)
    const { pipeline, problems } = await loadPipeline(to)
    if (!pipeline) throw new PipelineActError('not-installable', problems.join('; '))
    await rememberPipeline(pipeline, database, (now?.() ?? new Date()).toISOString(), log)
    installed.add(pipeline)
    await this.#uploads.discard(id)
    log.info('a pipeline was installed', {
      pipeline: pipeline.name,
      version: pipeline.version,
      digest: pipeline.digest,
      by,
    })
    onChange?.()
    return await this.#shown(pipeline)
  }

  async discard(id: string): Promise<void> {
    await this.#uploads.discardKnown(id)
  }

  async #import(id: string, answers: Answers) {
    const task = await this.#uploads.taskOf(id, answers)
    const looked = this.#importing.then(() => importInProcess(task))
    this.#importing = looked.catch(() => {})
    return await looked
  }

  async #switched(pipeline: Pipeline): Promise<Version> {
    const { database, installed, onChange } = this.#options
    installed.disable(new Set<string>(await database('disabled_pipelines').pluck('digest')))
    onChange?.()
    return await this.#shown(pipeline)
  }

  #find(name: string, version: string): Pipeline {
    const found = this.#options.installed.all.find((one) => one.name === name && one.version === version)
    if (!found)
      throw new PipelineActError('pipeline-unknown', `no version ${version} of a pipeline ${name} is installed`)
    return found
  }

  async #shown({ digest }: Pipeline): Promise<Version> {
    const shown = (await this.list()).find((one) => one.digest === digest)
    if (!shown) throw new PipelineActError('pipeline-unknown', 'the pipeline is not installed any more')
    return shown
  }
}

interface Use {
  reference: string
  route: string
  as: 'pipeline' | 'canary' | 'shadow'
  fraction: number
}

/** Which active routes run what, and on which part of their studies. */
async function usesOf(database: Knex): Promise<Use[]> {
  const rows: { name: string; definition: string }[] = await database('routes')
    .where({ active: 1 })
    .select('name', 'definition')
  return rows.flatMap(({ name: route, definition }): Use[] => {
    const parsed = parseRouteDefinition(JSON.parse(definition))
    if (!parsed.ok) return []
    const { pipeline, canary, shadow } = parsed.definition
    const rest = 1 - (canary?.fraction ?? 0)
    const main = {
      reference: pipeline,
      route,
      as: shadow ? ('shadow' as const) : ('pipeline' as const),
      fraction: rest,
    }
    return canary ? [main, { reference: canary.pipeline, route, as: 'canary', fraction: canary.fraction }] : [main]
  })
}
