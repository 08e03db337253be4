import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'
import { loadPipelines, type Pipeline } from '../infer/load-pipelines.ts'
import { PipelineVersions } from '../infer/pipeline-versions.ts'
import type { Log } from '../log.ts'

/** The pipelines that are installed, and those of them that may be run. */
export class InstalledPipelines {
  #all: PipelineVersions
  #enabled: PipelineVersions
  #disabled: ReadonlySet<string>

  /** @param disabled digests of those that must not be run */
  constructor(pipelines: readonly Pipeline[], disabled: ReadonlySet<string> = new Set()) {
    this.#disabled = disabled
    this.#all = new PipelineVersions(pipelines)
    this.#enabled = this.#all
    this.disable(disabled)
  }

  /** Every version, also those that must not be run. */
  get all(): readonly Pipeline[] {
    return this.#all.all
  }

  /** A further version: it can be run at once. */
  add(pipeline: Pipeline): void {
    this.#all = new PipelineVersions([...this.#all.all.filter(({ digest }) => digest !== pipeline.digest), pipeline])
    this.disable(this.#disabled)
  }

  /** @param digests of those that must not be run from now on; all others may */
  disable(digests: ReadonlySet<string>): void {
    this.#disabled = digests
    this.#enabled = new PipelineVersions(this.#all.all.filter(({ digest }) => !digests.has(digest)))
  }

  /** One that may be run. @param reference `name` for the newest version, `name@1.2.0`, or `name@sha256:…` */
  get(reference: string): Pipeline | undefined {
    return this.#enabled.get(reference)
  }

  /** `name@sha256:…`, or null where no pipeline is called so. @param reference as of `get` */
  pinned(reference: string): string | null {
    const pipeline = this.get(reference)
    return pipeline ? `${pipeline.name}@${pipeline.digest}` : null
  }

  /** What each is that may be run, and what it declares. */
  list(): {
    name: string
    version: string
    digest: string
    title: string
    description: string
    intendedUse: string
    limits: string
    /** What a route gets that names no version. */
    isDefault: boolean
  }[] {
    return this.#enabled.all.map(({ name, version, digest, title, description, intendedUse, limits }) => ({
      name,
      version,
      digest,
      isDefault: this.get(name)?.digest === digest,
      title,
      description,
      intendedUse,
      limits,
    }))
  }
}

/**
 * Loads the pipelines and remembers each version that was ever installed.
 * @throws HilumError `invalid-pipelines` with every problem: a node that silently left one out would silently leave results out
 */
export async function installPipelines(
  folder: string,
  database: Knex,
  at: string,
  log?: Log,
): Promise<InstalledPipelines> {
  const { pipelines, problems, incomplete } = await loadPipelines(folder)
  if (problems.length > 0) throw new HilumError('invalid-pipelines', problems.join('\n'))
  for (const sentence of incomplete) log?.warn('a pipeline is not installed completely', { reason: sentence })
  for (const pipeline of pipelines) await rememberPipeline(pipeline, database, at, log)
  const disabled: string[] = await database('disabled_pipelines').pluck('digest')
  return new InstalledPipelines(pipelines, new Set(disabled))
}

/** Remembers a version that is installed; it says so where the files of a known version have changed. */
export async function rememberPipeline(pipeline: Pipeline, database: Knex, at: string, log?: Log): Promise<void> {
  const { name, version, digest, ...manifest } = pipeline
  const earlier: string[] = await database('pipelines').where({ name, version }).whereNot({ digest }).pluck('digest')
  const isNew = (await database('pipelines').where({ digest }).first('id')) === undefined
  if (isNew && earlier.length > 0)
    log?.warn('the files of a pipeline have changed under the same version: it counts as another one', {
      pipeline: name,
      version,
      digest,
      earlier: earlier.join(', '),
    })
  await database('pipelines')
    .insert({ name, version, digest, manifest: JSON.stringify(manifest), first_seen_at: at })
    .onConflict('digest')
    .ignore()
}
