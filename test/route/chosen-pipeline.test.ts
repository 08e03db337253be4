import { describe, expect, it } from 'vitest'
import { choosePipeline, shareOf } from '../../src/route/chosen-pipeline.ts'
import { evaluateRoutes } from '../../src/route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { unknownReferences } from '../../src/route/unknown-references.ts'
import { ctElements, studyOf } from './phantom-study.ts'

const uids = Array.from({ length: 4000 }, (_, n) => `1.2.826.0.1.3680043.8.498.${n}`)
const canary = (fraction: number) => ({ pipeline: 'lung@1.0.0', canary: { pipeline: 'lung@1.1.0', fraction } })
const chosen = (fraction: number) =>
  uids.filter((uid) => choosePipeline(canary(fraction), uid).pipeline === 'lung@1.1.0')

function parsed(overrides: Record<string, unknown>) {
  return parseRouteDefinition({
    name: 'lung',
    inputs: { ct: { where: 'series.Modality == "CT"' } },
    pipeline: 'lung',
    destinations: ['self'],
    ...overrides,
  })
}
function routeOf(overrides: Record<string, unknown>): RouteDefinition {
  const route = parsed(overrides)
  if (!route.ok) throw new Error(JSON.stringify(route.problems))
  return route.definition
}
const problemsOf = (overrides: Record<string, unknown>) => {
  const route = parsed(overrides)
  return route.ok ? [] : route.problems.map(({ path }) => path)
}

describe('a canary', () => {
  it('gets its part of the studies, and keeps them when the part grows', () => {
    const tenth = chosen(0.1)
    expect(tenth.length / uids.length).toBeCloseTo(0.1, 1)
    const half = new Set(chosen(0.5))
    expect(tenth.filter((uid) => !half.has(uid))).toEqual([])
    expect(half.size).toBeGreaterThan(4 * tenth.length)
    expect(chosen(1)).toHaveLength(uids.length)
  })

  it('gets the same studies on every node: the share is the SHA-256 of the UID', () => {
    expect(shareOf('1.2.3')).toBe(0xc4_7f_5b_18 / 2 ** 32)
  })

  it('is told in the decision of a study that it gets, and of one that it does not', () => {
    const study = studyOf([{ elements: ctElements }])
    const reason = (fraction: number) =>
      evaluateRoutes([{ version: 1, definition: routeOf(canary(fraction)) }], study)[0]?.reason
    expect(reason(1)).toMatch(/; the canary, lung@1\.1\.0: 0\.\d{4} is below 1$/)
    expect(reason(1e-9)).toMatch(/; not the canary, lung@1\.0\.0: 0\.\d{4} is not below 1e-9$/)
  })

  it('has to be a pipeline that is there, with the inputs that the route has', () => {
    const inputs = [{ name: 'ct', kind: 'volume', from: 'study' as const, required: true }]
    const known = { destinations: ['self'], pipelines: [{ name: 'lung@1.0.0', inputs, outputs: [] }] }
    expect(unknownReferences(routeOf({ pipeline: 'lung@1.0.0' }), known)).toEqual([])
    expect(unknownReferences(routeOf(canary(0.1)), known)).toEqual([
      { path: 'canary.pipeline', expectation: expect.stringContaining('no pipeline is called "lung@1.1.0"') },
    ])
  })
})

describe('a route', () => {
  it('names a pipeline by name, version or digest, and nothing else', () => {
    for (const pipeline of ['lung', 'lung@1.2.30', `lung@sha256:${'0a'.repeat(32)}`])
      expect(problemsOf({ pipeline })).toEqual([])
    for (const pipeline of ['Lung', 'lung@', 'lung@1.2', 'lung@latest', 'lung@sha256:0a'])
      expect(problemsOf({ pipeline })).toEqual(['pipeline'])
    expect(problemsOf({ canary: { pipeline: 'lung@1.1.0', fraction: 0 } })).toEqual(['canary.fraction'])
  })

  it('needs a destination, unless it is a shadow', () => {
    expect(problemsOf({ destinations: [] })).toEqual(['destinations'])
    expect(problemsOf({ destinations: undefined })).toEqual(['destinations'])
    expect(problemsOf({ destinations: undefined, shadow: true })).toEqual([])
  })
})
