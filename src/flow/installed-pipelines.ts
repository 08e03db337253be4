import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'
import { loadPipelines, type Pipeline } from '../infer/load-pipelines.ts'

/** The pipelines that can be run, as they were at the start. */
export class InstalledPipelines {
  readonly #byName: ReadonlyMap<string, Pipeline>

  constructor(pipelines: readonly Pipeline[]) {
    this.#byName = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]))
  }

  get(name: string): Pipeline | undefined {
    return this.#byName.get(name)
  }

  /** `name@sha256:…`, or null where no pipeline has the name. */
  pinned(name: string): string | null {
    const pipeline = this.#byName.get(name)
    return pipeline ? `${pipeline.name}@${pipeline.digest}` : null
  }

  /** For the API: what each is and what it declares. */
  list(): {
    name: string
    version: string
    digest: string
    title: string
    description: string
    intendedUse: string
    limits: string
  }[] {
    return [...this.#byName.values()].map(({ name, version, digest, title, description, intendedUse, limits }) => ({
      name,
      version,
      digest,
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
export async function installPipelines(folder: string, database: Knex, at: string): Promise<InstalledPipelines> {
  const { pipelines, problems } = await loadPipelines(folder)
  if (problems.length > 0) throw new HilumError('invalid-pipelines', problems.join('\n'))
  for (const { name, version, digest, ...manifest } of pipelines) {
    await database('pipelines')
      .insert({ name, version, digest, manifest: JSON.stringify(manifest), first_seen_at: at })
      .onConflict('digest')
      .ignore()
  }
  return new InstalledPipelines(pipelines)
}
