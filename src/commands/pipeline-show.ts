import { planOf } from '../infer/engine/plan.ts'
import { describeInput } from '../infer/manifest/describe-input.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import { tables } from '../infer/manifest/tables.ts'
import type { Maker } from '../infer/manifest/value-graph.ts'

/** What a pipeline takes, does and gives, as lines of text. */
export function describePipeline(pipeline: Pipeline): string {
  const { name, version, digest, title, manufacturer, description, intendedUse, limits, demonstrator } = pipeline
  const plan = planOf(pipeline, tables, pipeline.outputs)
  return [
    `${name} ${version}: ${title}, ${manufacturer}${demonstrator ? ' (demonstrator: not for clinical use)' : ''}`,
    `  ${digest}`,
    '',
    description.trim(),
    `Intended use: ${intendedUse.trim()}`,
    `Limits: ${limits.trim()}`,
    '',
    'Inputs',
    ...pipeline.inputs.map((input) => `  ${input.name}: ${describeInput(input)}`),
    '',
    'What is done, in this order',
    ...plan.makers.filter(({ kind }) => kind !== 'input').map((maker) => `  ${describeMaker(maker)}`),
    ...(pipeline.measure.length > 0 ? ['', 'Measurements'] : []),
    ...pipeline.measure.map((entry) =>
      'quantity' in entry
        ? `  ${entry.id}: ${entry.quantity.step}${entry.of ? ` of ${entry.of}` : ''} in ${entry.segment ?? 'all segments'}, ${entry.unit.value}`
        : `  ${entry.id}: radiomics of ${entry.of} in ${entry.segment ?? 'each segment'}`,
    ),
    '',
    'Outputs',
    ...pipeline.outputs.map(
      (output) =>
        `  ${output.id ?? output.kind}${output.id ? ` (${output.kind})` : ''}${output.title ? `: ${output.title}` : ''}`,
    ),
  ].join('\n')
}

function describeMaker(maker: Maker): string {
  switch (maker.kind) {
    case 'input':
      return maker.input.name
    case 'metadata':
      return `${maker.name}: numbers of the header of ${maker.metadata.from}`
    case 'prepare':
    case 'finish': {
      const from = [maker.chain.from].flat().join(', ')
      const steps = maker.chain.steps.map(({ step }) => step).join(', ')
      return `${maker.name}: ${from}${steps === '' ? '' : ` → ${steps}`}`
    }
    case 'infer': {
      const models = maker.entry.model.map((model) =>
        model.runtime === 'onnx'
          ? model.file
          : model.runtime === 'command'
            ? model.command[0]
            : `${model.model} on ${model.server}`,
      )
      const needs = maker.needs.map(({ name }) => name).join(', ')
      return `${maker.gives.map(({ name }) => name).join(', ')}: ${needs} → ${models.join(', ')} (${maker.entry.run.kind})`
    }
  }
}
