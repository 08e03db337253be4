import { afterEach, beforeEach, expect, it } from 'vitest'
import { routeActivity } from '../../src/store/route-activity.ts'
import { receiveSmall } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

/** What is counted of decisions, on any database. */
export function routeActivityCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let revisions: { id: number; study_id: number }[]
  beforeEach(async () => {
    store = await open()
    for (const study of [1, 2, 3])
      await store.indexer.index([receiveSmall(store.incoming, { study, series: 1, instance: study })])
    const studies: { id: number }[] = await store.database('studies').orderBy('id').select('id')
    for (const { id } of studies)
      for (const number of [1, 2])
        await store
          .database('revisions')
          .insert({ study_id: id, number, completed_at: '2026', reason: '', instances: 1, members: '{}', routed: 1 })
    revisions = await store.database('revisions').orderBy('id').select('id', 'study_id')
  })
  afterEach(() => store.dispose())

  const decide = async (revision: number, at: string, matched: 0 | 1, route = 'ct') => {
    const found = revisions[revision]
    const texts = { expression: '', because: '{}', series: '{}', reason: '' }
    const whose = { study_id: found?.study_id, revision_id: found?.id }
    await store.database('decisions').insert({ ...whose, route, route_version: 1, matched, ...texts, at })
  }
  const now = new Date('2026-11-21T22:00:00.000Z')

  it('counts studies by day and route, each once a day, and none that is older', async () => {
    await decide(0, '2026-11-18T23:59:59.000Z', 1)
    await decide(2, '2026-11-20T10:00:00.000Z', 0)
    await decide(3, '2026-11-20T11:00:00.000Z', 1)
    await decide(4, '2026-11-21T09:00:00.000Z', 0)
    await decide(5, '2026-11-21T09:30:00.000Z', 0, 'mr')
    const none = { asked: 0, matched: 0 }
    expect((await routeActivity(store.database, 3, now)).sort((a, b) => (a.route < b.route ? -1 : 1))).toEqual([
      {
        route: 'ct',
        asked: 2,
        matched: 1,
        days: [
          { date: '2026-11-19', ...none },
          { date: '2026-11-20', asked: 1, matched: 1 },
          { date: '2026-11-21', asked: 1, matched: 0 },
        ],
      },
      {
        route: 'mr',
        asked: 1,
        matched: 0,
        days: [
          { date: '2026-11-19', ...none },
          { date: '2026-11-20', ...none },
          { date: '2026-11-21', asked: 1, matched: 0 },
        ],
      },
    ])
  })

  it('says nothing where nothing was decided', async () => {
    expect(await routeActivity(store.database, 14, now)).toEqual([])
  })
}
