import type { KnownNames, KnownPipeline } from '../route/unknown-references.ts'
import type { InstalledPipelines } from './installed-pipelines.ts'

/** What routes may name now: the installed pipelines in every way that a route may write them, and the destinations. */
export async function knownNames(
  pipelines: Pick<InstalledPipelines, 'list' | 'get'>,
  destinations: { list(): { name: string }[] | Promise<{ name: string }[]> },
): Promise<KnownNames> {
  const references = pipelines
    .list()
    .flatMap(({ name, version, digest }) => [name, `${name}@${version}`, `${name}@${digest}`])
  return {
    pipelines: [...new Set(references)].flatMap((name): KnownPipeline[] => {
      const pipeline = pipelines.get(name)
      return pipeline ? [{ name, inputs: pipeline.inputs, outputs: pipeline.outputs }] : []
    }),
    destinations: (await destinations.list()).map(({ name }) => name),
  }
}
