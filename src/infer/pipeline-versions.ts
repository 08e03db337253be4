import type { Pipeline } from './manifest/pipeline.ts'

/**
 * Several versions of pipelines, by how they may be called: `name` is the newest version, `name@1.2.0` that version, `name@sha256:…`
 * exactly those files.
 */
export class PipelineVersions {
  readonly #byReference = new Map<string, Pipeline>()
  readonly all: readonly Pipeline[]

  constructor(pipelines: readonly Pipeline[]) {
    this.all = [...pipelines].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : -compareVersions(a, b)))
    for (const pipeline of this.all) {
      const { name, version, digest } = pipeline
      if (!this.#byReference.has(name)) this.#byReference.set(name, pipeline)
      this.#byReference.set(`${name}@${version}`, pipeline)
      this.#byReference.set(`${name}@${digest}`, pipeline)
    }
  }

  get(reference: string): Pipeline | undefined {
    return this.#byReference.get(reference)
  }

  /** Every way to call one. */
  entries(): IterableIterator<[reference: string, pipeline: Pipeline]> {
    return this.#byReference.entries()
  }
}

/** Orders `1.10.0` behind `1.9.2`. */
function compareVersions(a: { version: string }, b: { version: string }): number {
  const [ofA, ofB] = [a, b].map(({ version }) => version.split('.').map(Number)) as [number[], number[]]
  const at = ofA.findIndex((part, i) => part !== ofB[i])
  return at === -1 ? 0 : (ofA[at] ?? 0) - (ofB[at] ?? 0)
}
