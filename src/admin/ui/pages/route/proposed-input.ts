import type { PipelineCard } from '../../api/schema.ts'
import type { Input } from './route-words.ts'

/** What an input of a pipeline most likely is: the modality that the pipeline says. */
export function proposedInput({ modality, kind }: PipelineCard['inputs'][number]): Input {
  const list = modality.map((one) => JSON.stringify(one))
  const isOne = list.length === 1
  const where =
    list.length === 0
      ? 'series.instances >= 1'
      : isOne
        ? `series.Modality == ${list[0]}`
        : `series.Modality in [${list.join(', ')}]`
  return {
    where: kind === 'volume' ? `${where} && series.instances >= 20` : where,
    prefer: kind === 'volume' ? ['thinnest-slices', 'most-instances'] : ['newest'],
    required: true,
  }
}
