import type { PipelineManifest } from '../manifest/pipeline.ts'

/** Settings that radiomics features depend on, a line each, as the manifest says them: without patient data. */
export function parametersOf(measure: PipelineManifest['measure']): string[] {
  return measure.flatMap((entry) =>
    'radiomics' in entry
      ? Object.entries(entry.radiomics)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => `${entry.id}: ${name} ${JSON.stringify(value).replaceAll('"', '')}`)
      : [],
  )
}
