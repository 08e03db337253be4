import { messageOf } from '../../errors.ts'
import { suggestion } from '../../nearest-name.ts'
import { scoresOf } from '../runner/occlusion.ts'
import { checkOutputs } from '../runner/run-models.ts'
import type { ValueKind } from '../value.ts'
import { checkResults } from './output-references.ts'
import type { Problem } from './parse.ts'
import type { PipelineManifest } from './pipeline.ts'
import { type References, worded } from './reference-checks.ts'
import { type DeclaredValue, kindAfter, type Maker, makersOf, type Path, type StepTables } from './value-graph.ts'

/**
 * Checks what a schema cannot: that every name is known and meant once, that chains fit together, that nothing is made of itself, that
 * segments and outputs speak of values of the right kind.
 */
export function findBrokenReferences(manifest: PipelineManifest, tables: StepTables): Problem[] {
  const problems: Problem[] = []
  const fault = (path: Path, message: string): void => void problems.push({ path, message })
  const makers = makersOf(manifest, tables)
  const values = declaredOnce(makers, fault)
  const expectValue: References['expectValue'] = (name, path, kinds) => {
    const value = values.get(name)
    if (!value) {
      fault(path, `no value is called ${name}${suggestion(name, values.keys())}`)
      return null
    }
    // A broken chain has a problem of its own.
    if (value.kind === null || kinds.includes(value.kind)) return value
    fault(path, `${name} is ${worded(value.kind)}, ${kinds.map(worded).join(' or ')} is expected`)
    return null
  }
  const references: References = { manifest, tables, values, fault, expectValue }
  for (const maker of makers) checkMaker(maker, references)
  checkCycles(makers, fault)
  checkResults(references)
  return problems
}

const anything: readonly ValueKind[] = ['image', 'labels', 'boxes', 'points', 'numbers', 'tensor']

function declaredOnce(makers: readonly Maker[], fault: References['fault']): Map<string, DeclaredValue> {
  const values = new Map<string, DeclaredValue>()
  for (const value of makers.flatMap(({ gives }) => gives)) {
    const taken = values.get(value.name)
    if (taken) fault(value.path, `the name ${value.name} is already taken by ${taken.path.join('.')}`)
    else values.set(value.name, value)
  }
  return values
}

function checkMaker(maker: Maker, { manifest, tables, values, expectValue, fault }: References): void {
  const [first, ...others] = maker.needs
  switch (maker.kind) {
    case 'input':
    case 'metadata': {
      if (!first) return
      const input = manifest.inputs.find(({ name }) => name === first.name)
      const known = manifest.inputs.filter(({ kind }) => kind !== 'segmentation').map(({ name }) => name)
      if (!input || !known.includes(input.name))
        fault(first.path, `no input of images is called ${first.name}${suggestion(first.name, known)}`)
      return
    }
    case 'prepare':
      maker.chain.from.forEach((name, index) => {
        const need = maker.needs[index]
        if (need) expectValue(name, need.path, ['image', 'labels'])
      })
      for (const need of maker.needs.slice(maker.chain.from.length)) expectValue(need.name, need.path, anything)
      return
    case 'infer':
      for (const need of maker.needs) expectValue(need.name, need.path, ['image', 'labels', 'numbers'])
      checkStates(maker, fault)
      checkGiven(maker, fault)
      return
    case 'finish': {
      if (!first) return
      const from = expectValue(first.name, first.path, anything)
      for (const need of others) expectValue(need.name, need.path, anything)
      const kind = values.get(first.name)?.kind
      if (!from || !kind) return
      checkChain(maker, kind, { fault, tables })
    }
  }
}

/** Says at which step a chain breaks. */
function checkChain(
  { chain, path }: Extract<Maker, { kind: 'finish' }>,
  from: ValueKind,
  { fault, tables }: { fault: References['fault']; tables: StepTables },
): void {
  let before = from
  for (const [index, call] of chain.steps.entries()) {
    const after = kindAfter([call], before, tables)
    if (after === null) {
      const { takes } = tables.finishSteps[call.step] ?? { takes: [] }
      fault(
        [...path, 'steps', index],
        `${call.step} takes ${takes.map(worded).join(' or ')}, it is given ${worded(before)}`,
      )
      return
    }
    before = after
  }
}

/** The state of a recurrent model is no output of its own, and the input that takes it is not fed with a value. */
function checkStates({ entry, path }: Extract<Maker, { kind: 'infer' }>, fault: References['fault']): void {
  if (entry.run.kind !== 'sequence') return
  for (const input of Object.keys(entry.run.state))
    if (input in entry.inputs) fault([...path, 'run', 'state', input], `${input} is a state and an input at once`)
}

/** Outputs that the way of running cannot give. */
function checkGiven({ entry, path }: Extract<Maker, { kind: 'infer' }>, fault: References['fault']): void {
  try {
    checkOutputs(entry)
  } catch (error) {
    fault([...path, 'outputs'], messageOf(error))
  }
  try {
    if (entry.occlusion) scoresOf(entry, entry.occlusion.output)
  } catch (error) {
    fault([...path, 'occlusion'], messageOf(error))
  }
}

function checkCycles(makers: readonly Maker[], fault: References['fault']): void {
  const makerOf = new Map(makers.flatMap((maker) => maker.gives.map(({ name }) => [name, maker] as const)))
  const done = new Set<Maker>()
  const faulted = new Set<Maker>()
  const visit = (maker: Maker, above: readonly Maker[]): void => {
    if (done.has(maker)) return
    const start = above.indexOf(maker)
    if (start >= 0) {
      if (faulted.has(maker)) return
      for (const part of above.slice(start)) faulted.add(part)
      const names = [...above.slice(start), maker].map(({ gives }) => gives[0]?.name ?? '')
      fault(maker.path, `${names[0]} is made of itself: ${names.join(' needs ')}`)
      return
    }
    for (const { name } of maker.needs) {
      const needed = makerOf.get(name)
      if (needed) visit(needed, [...above, maker])
    }
    done.add(maker)
  }
  for (const maker of makers) visit(maker, [])
}
