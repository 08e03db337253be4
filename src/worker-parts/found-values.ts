import type { Inference } from '../infer/inference.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { FoundValue } from '../infer/task.ts'

const percent = '%'

/**
 * What the node keeps beside the objects, for its page and its API: measurements of this study, and what classifiers said. Radiomics
 * features are hundreds: they stand in the reports alone.
 */
export function foundValues({ measurements, segments, classifications }: Inference, pipeline: Pipeline): FoundValue[] {
  const isPrior = (input: string): boolean => pipeline.inputs.find(({ name }) => name === input)?.from === 'prior'
  const radiomics = pipeline.measure.flatMap((entry) => ('radiomics' in entry ? [`${entry.id}-`] : []))
  const measured = measurements
    .filter(
      ({ value, origin, id }) => Number.isFinite(value) && !isPrior(origin) && !radiomics.some((r) => id.startsWith(r)),
    )
    .map(({ name, value, unit, code, segment, site }): FoundValue => {
      const type = segments.find(({ id }) => id === segment)?.definition.type ?? site
      return {
        name,
        value,
        unit: unit.value,
        code: `${code.scheme}:${code.value}`,
        site: type ? `${type.scheme}:${type.value}` : null,
      }
    })
  const classified = classifications.map(
    ({ label, type, site, probability }): FoundValue => ({
      name: label,
      value: probability * 100,
      unit: percent,
      code: `${type.scheme}:${type.value}`,
      site: site ? `${site.scheme}:${site.value}` : null,
    }),
  )
  return [...measured, ...classified]
}
