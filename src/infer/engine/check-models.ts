import { messageOf } from '../../errors.ts'
import { suggestion } from '../../nearest-name.ts'
import type { InferenceManifest } from '../manifest/inference.ts'
import type { Problem } from '../manifest/parse.ts'
import type { Pipeline } from '../manifest/pipeline.ts'
import type { Path } from '../manifest/value-graph.ts'
import type { Model, TensorInfo } from '../runtime/model.ts'
import { openModel } from '../runtime/open-model.ts'

/**
 * Opens the ONNX models of a pipeline and holds what it says of their inputs and outputs against what they are. Servers and programs are not
 * asked: they may be elsewhere.
 */
export async function checkModels(pipeline: Pipeline): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const [index, entry] of pipeline.infer.entries())
    for (const [n, options] of entry.model.entries()) {
      if (options.runtime !== 'onnx') continue
      const path = ['infer', index, 'model', ...(entry.model.length > 1 ? [n] : [])]
      try {
        const model = await openModel(
          { ...options, providers: ['cpu'] },
          { folder: pipeline.folder, providers: ['cpu'], threads: 1, temporaryFolder: pipeline.folder },
        )
        problems.push(...compared(entry, model, ['infer', index]))
        await model.close()
      } catch (error) {
        problems.push({ path, message: `${options.file}: ${messageOf(error)}` })
      }
    }
  return problems
}

function compared(entry: InferenceManifest, { inputs, outputs }: Model, path: Path): Problem[] {
  const problems: Problem[] = []
  const states = entry.run.kind === 'sequence' ? entry.run.state : {}
  const given = [...Object.keys(entry.inputs), ...Object.keys(states)]
  const known = (tensors: readonly TensorInfo[]): string[] => tensors.map(({ name }) => name)
  const expect = (name: string, tensors: readonly TensorInfo[] | null, at: Path, what: string): void => {
    if (tensors && !known(tensors).includes(name))
      problems.push({
        path: at,
        message: `the model has no ${what} ${name}${suggestion(name, known(tensors))}: it has ${known(tensors).join(', ')}`,
      })
  }
  for (const name of Object.keys(entry.inputs)) expect(name, inputs, [...path, 'inputs', name], 'input')
  for (const [input, output] of Object.entries(states)) {
    expect(input, inputs, [...path, 'run', 'state', input], 'input')
    expect(output, outputs, [...path, 'run', 'state', input], 'output')
  }
  for (const name of Object.keys(entry.outputs)) expect(name, outputs, [...path, 'outputs', name], 'output')
  for (const { name } of inputs ?? [])
    if (!given.includes(name))
      problems.push({ path: [...path, 'inputs'], message: `the model's input ${name} is not fed` })
  for (const [name, input] of Object.entries(entry.inputs)) {
    const info = inputs?.find((one) => one.name === name)
    if (!info) continue
    const at = [...path, 'inputs', name]
    if (info.type !== null && info.type !== input.type)
      problems.push({ path: at, message: `the model's input ${name} is ${info.type}, it is given ${input.type}` })
    if ('layout' in input && info.dims && info.dims.length !== input.layout.length)
      problems.push({
        path: at,
        message: `the model's input ${name} has ${info.dims.length} dimensions, the layout ${input.layout} has ${input.layout.length}`,
      })
  }
  return problems
}
