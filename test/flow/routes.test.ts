import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { activeRoutes, applyRoutes, seedRoutes } from '../../src/flow/routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

function route(name: string, where = 'series.Modality == "CT"'): RouteDefinition {
  const parsed = parseRouteDefinition({ name, inputs: { ct: { where } }, pipeline: 'some', destinations: ['self'] })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

describe('the routes in force', () => {
  const by = { at: '2026-01-01T00:00:00.000Z', author: 'test' }
  let store: TemporaryStore
  beforeEach(async () => {
    store = await temporaryStore()
  })
  afterEach(() => store.dispose())

  const inForce = async () =>
    (await activeRoutes(store.database)).routes.map(({ definition, version }) => `${definition.name} ${version}`)

  it('are the configured ones at the first start, and no others afterwards', async () => {
    expect(await seedRoutes(store.database, [route('a'), route('b')], by.at)).toBe(2)
    expect(await seedRoutes(store.database, [route('c')], by.at)).toBe(0)
    expect(await inForce()).toEqual(['a 1', 'b 1'])
  })

  it('change by being applied: changed ones get a version, absent ones are switched off, the order is the new one', async () => {
    await seedRoutes(store.database, [route('a'), route('b')], by.at)
    const applied = await applyRoutes(store.database, [route('c'), route('a', 'series.Modality == "MR"')], by)
    expect(applied).toEqual({ added: ['c'], changed: ['a'], removed: ['b'], unchanged: [] })
    expect(await inForce()).toEqual(['c 1', 'a 2'])
    expect(await applyRoutes(store.database, [route('a'), route('b')], by)).toMatchObject({
      added: ['b'],
      changed: ['a'],
      removed: ['c'],
    })
    expect(await inForce()).toEqual(['a 3', 'b 2'])
    expect(await applyRoutes(store.database, [route('a'), route('b')], by)).toMatchObject({ unchanged: ['a', 'b'] })
  })

  it('that this version cannot read decide nothing, and leave the others alone', async () => {
    await seedRoutes(store.database, [route('a'), route('b')], by.at)
    await store.database('routes').where({ name: 'a' }).update({ definition: '{"name":"a"}' })
    const { routes, invalid } = await activeRoutes(store.database)
    expect(routes.map(({ definition }) => definition.name)).toEqual(['b'])
    expect(invalid).toMatchObject([{ name: 'a', version: 1, reason: expect.stringContaining('no longer valid') }])
  })
})
