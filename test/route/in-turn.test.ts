import { describe, expect, it } from 'vitest'
import { type ActiveRoute, evaluateRoutes, waitingRoutes } from '../../src/route/evaluate-routes.ts'
import { parseRouteDefinition } from '../../src/route/route-definition.ts'
import { ctElements, studyOf } from './phantom-study.ts'

const ct = 'series.Modality == "CT"'
const mr = 'series.Modality == "MR"'

function route(name: string, where: string, more: Record<string, unknown> = {}): ActiveRoute {
  const inputs = { images: { where } }
  const parsed = parseRouteDefinition({ name, inputs, pipeline: 'some', destinations: ['self'], ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return { version: 1, definition: parsed.definition }
}

const study = studyOf([{ elements: ctElements }])
const verdicts = (...routes: ActiveRoute[]) =>
  evaluateRoutes(routes, study).map(({ route: name, matched, reason }) => `${name} ${matched} ${reason.split(':')[0]}`)

describe('routes that bear on each other', () => {
  it('are not asked after one that stops has matched; one that is off says that', () => {
    const off = route('d', ct, { enabled: false })
    const decisions = evaluateRoutes([route('a', ct), route('b', ct, { stop: true }), route('c', ct), off], study)
    expect(decisions.map(({ matched }) => matched)).toEqual([true, true, false, false])
    expect(decisions[2]).toMatchObject({
      expression: 'stop',
      because: { 'stopped by': 'b' },
      series: {},
      reason: 'not asked: route b matched, and stops the routes after it',
    })
    expect(decisions[3]?.reason).toBe('the route is off')
  })

  it('go on after one that stops and has not matched', () => {
    expect(verdicts(route('a', mr, { stop: true }), route('b', ct))[1]).toBe('b true input "images"')
  })

  it('fall back only where no other route matched, wherever the fallback stands, and to one', () => {
    const [first, second] = [route('first', ct, { fallback: true }), route('second', ct, { fallback: true })]
    const nobody = evaluateRoutes([first, second, route('a', mr)], study)
    expect(nobody.map(({ route: name, matched }) => [name, matched])).toEqual([
      ['first', true],
      ['second', false],
      ['a', false],
    ])
    expect(nobody[1]?.reason).toBe('not asked: a fallback, and route first matched')
    expect(verdicts(first, route('a', ct))).toEqual(['first false not asked', 'a true input "images"'])
    // What a shadow route does is for comparison.
    const shadow = route('s', ct, { shadow: true, destinations: undefined })
    expect(verdicts(shadow, first)[1]).toBe('first true input "images"')
  })

  it('wait for no series where they would not be asked', () => {
    const two = route('two', ct, { inputs: { ct: { where: ct }, mr: { where: mr } } })
    expect(waitingRoutes([two], study)).toEqual([{ route: 'two', input: 'mr' }])
    expect(waitingRoutes([route('a', ct, { stop: true }), two], study)).toEqual([])
    expect(waitingRoutes([route('a', mr, { stop: true }), two], study)).toHaveLength(1)
  })

  it('are refused where a shadow would stop others, and keep definitions without the new fields as they were', () => {
    const definition = { name: 'a', inputs: { images: { where: ct } }, pipeline: 'some', shadow: true }
    const problems = (more: object) => {
      const parsed = parseRouteDefinition({ ...definition, ...more })
      return parsed.ok ? [] : parsed.problems.map(({ path }) => path)
    }
    expect([problems({ stop: true }), problems({ fallback: true })]).toEqual([['stop'], ['fallback']])
    expect(Object.keys(route('a', ct).definition)).toEqual(
      expect.not.arrayContaining(['stop', 'fallback', 'shadow', 'canary']),
    )
  })

  it('say where in a condition a mistake is', () => {
    const parsed = parseRouteDefinition({ ...route('a', ct).definition, inputs: { images: { where: 'a\n  && b' } } })
    expect(parsed).toMatchObject({ ok: false, problems: [{ path: 'inputs.images.where', line: 1, column: 1 }] })
  })
})
