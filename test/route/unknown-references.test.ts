import { expect, it } from 'vitest'
import { parseRouteDefinition } from '../../src/route/route-definition.ts'
import { unknownReferences } from '../../src/route/unknown-references.ts'

const input = { kind: 'volume', from: 'study', required: true } as const
const known = {
  destinations: ['self', 'pacs'],
  pipelines: [
    {
      name: 'lesion-growth',
      inputs: [
        { ...input, name: 'now' },
        { ...input, name: 'before', from: 'prior' as const, required: false },
        { ...input, name: 'masks', kind: 'segmentation', of: 'now' },
      ],
      outputs: [{ kind: 'segmentation' }, { kind: 'parametric-map', id: 'growth' }],
    },
  ],
}
const where = 'series.Modality == "CT"'
const masks = { where: 'series.Modality == "SEG"', of: 'now' }

function problemsOf(overrides: Record<string, unknown>): string[] {
  const inputs = { now: { where }, masks }
  const route = { name: 'r', inputs, pipeline: 'lesion-growth', destinations: ['self'], ...overrides }
  const parsed = parseRouteDefinition(route)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return unknownReferences(parsed.definition, known).map(({ path, expectation }) => `${path}: ${expectation}`)
}

it('a route may leave out an input that its pipeline does not require, and no other', () => {
  expect(problemsOf({})).toEqual([])
  expect(problemsOf({ inputs: { now: { where }, masks, before: { where, from: 'prior' } } })).toEqual([])
  expect(problemsOf({ inputs: { before: { where, from: 'prior' } } })).toEqual([
    'inputs: pipeline "lesion-growth" needs the input "now"',
    'inputs: pipeline "lesion-growth" needs the input "masks"',
  ])
  expect(problemsOf({ inputs: { now: { where, required: false }, masks } })).toEqual([
    'inputs.now.required: pipeline "lesion-growth" needs this input',
  ])
})

it('an input is taken from where the pipeline expects it', () => {
  const inputs = { now: { where, several: true }, masks: { where }, before: { where } }
  expect(problemsOf({ inputs })).toEqual([
    'inputs.now.several: pipeline "lesion-growth" takes one series',
    'inputs.masks.of: pipeline "lesion-growth" takes a segmentation of its input "now"',
    'inputs.before.from: pipeline "lesion-growth" takes this input from: prior',
  ])
})

it('names outputs by kind or id', () => {
  expect(problemsOf({ outputs: { self: ['segmentation', 'growth', 'parametric-map'] } })).toEqual([])
  expect(problemsOf({ outputs: { default: ['segmentation', 'grwth'] } })).toEqual([
    'outputs.default.1: pipeline "lesion-growth" has no output "grwth"; it has segmentation, growth, parametric-map',
  ])
})

it('names what is nowhere, with what was probably meant', () => {
  expect(problemsOf({ pipeline: 'lesion-grwth', destinations: ['pac'] })).toEqual([
    'pipeline: no pipeline is called "lesion-grwth" (did you mean "lesion-growth"?)',
    'destinations.0: no destination is called "pac" (did you mean "pacs"?)',
  ])
})
