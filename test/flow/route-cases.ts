import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completeStudy, type StudyRevision } from '../../src/assemble/complete-study.ts'
import { earlierStudies } from '../../src/flow/earlier-studies.ts'
import { changeCalendar, postponeOffPeak } from '../../src/flow/off-peak.ts'
import { replayRoute } from '../../src/flow/replay.ts'
import { routableStudy } from '../../src/flow/routable-study.ts'
import { routeRevision } from '../../src/flow/route-revision.ts'
import { RouteVocabulary } from '../../src/flow/route-vocabulary.ts'
import { activeRoutes, applyRoutes, seedRoutes } from '../../src/flow/routes.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import type { Calendar } from '../../src/route/calendar.ts'
import { type Decision, evaluateRoutes } from '../../src/route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { changeDraft, createDraft, deleteDraft, findDraft, listDrafts } from '../../src/store/route-drafts.ts'
import {
  activateVersion,
  activationsOf,
  activeVersions,
  orderRoutes,
  putInForce,
  retiredVersions,
  retireRoute,
  versionsOf,
} from '../../src/store/route-versions.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { insertStudies, type StoredStudy } from './many-studies.ts'

function route(name: string, more: Record<string, unknown> = {}): RouteDefinition {
  const inputs = { ct: { where: 'series.Modality == "CT"' } }
  const parsed = parseRouteDefinition({ name, inputs, pipeline: 'some', destinations: ['self'], ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`
const act = (minute: number, comment?: string) => ({ at: at(minute), actor: 'anna', ...(comment && { comment }) })

/** Versions, drafts, replays and the calendar of routes, on any database. */
export function routeCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.dispose())
  const inForce = async () => (await activeVersions(store.database)).map(({ name, version }) => `${name} ${version}`)

  describe('versions', () => {
    it('follow each other, and any of them comes back, in its place, with who did it and why', async () => {
      const { database } = store
      await seedRoutes(database, [route('a'), route('b'), route('c')], at(0))
      expect(await putInForce(database, route('b', { priority: 'urgent' }), act(1, 'faster'))).toBe(2)
      expect(await putInForce(database, route('b', { priority: 'urgent' }), act(2))).toBe(2)
      expect(await putInForce(database, route('d'), act(3))).toBe(1)
      expect(await inForce()).toEqual(['a 1', 'b 2', 'c 1', 'd 1'])
      await activateVersion(database, 'b', 1, act(4, 'back'))
      expect(await inForce()).toEqual(['a 1', 'b 1', 'c 1', 'd 1'])
      await expect(activateVersion(database, 'b', 9, act(5))).rejects.toMatchObject({ code: 'version-unknown' })
      expect(await activationsOf(database, 'b')).toEqual([
        { version: 1, actor: 'anna', comment: 'back', at: at(4) },
        { version: 2, actor: 'anna', comment: 'faster', at: at(1) },
        { version: 1, actor: 'configuration', comment: null, at: at(0) },
      ])
      expect(
        (await versionsOf(database, 'b')).map(({ version, active, comment }) => [version, active, comment]),
      ).toEqual([
        [2, false, 'faster'],
        [1, true, null],
      ])
      // A version after a return is a new one.
      expect(await putInForce(database, route('b', { priority: 'low' }), act(6))).toBe(3)
    })

    it('stay when their route is retired, which comes back at the end', async () => {
      const { database } = store
      await seedRoutes(database, [route('a'), route('b')], at(0))
      expect(await retireRoute(database, 'a', act(1))).toBe(true)
      expect(await retireRoute(database, 'a', act(2))).toBe(false)
      await expect(retireRoute(database, 'z', act(2))).rejects.toMatchObject({ code: 'route-unknown' })
      expect((await retiredVersions(database)).map(({ name, version }) => [name, version])).toEqual([['a', 1]])
      await activateVersion(database, 'a', 1, act(3))
      expect(await inForce()).toEqual(['b 1', 'a 1'])
      await applyRoutes(database, [route('a')], { at: at(4), author: 'command line' })
      expect((await activationsOf(database, 'b'))[0]).toMatchObject({ version: null, actor: 'command line' })
    })

    it('are put into order as a whole', async () => {
      const { database } = store
      await seedRoutes(database, [route('a'), route('b'), route('c')], at(0))
      await orderRoutes(database, ['c', 'a', 'b'])
      expect(await inForce()).toEqual(['c 1', 'a 1', 'b 1'])
      for (const wrong of [
        ['c', 'a'],
        ['c', 'a', 'a'],
        ['c', 'a', 'z'],
        ['a', 'b', 'c', 'd'],
      ])
        await expect(orderRoutes(database, wrong)).rejects.toMatchObject({ code: 'order-incomplete' })
    })
  })

  it('drafts are changed by one who has seen what is there, and need not be valid', async () => {
    const { database } = store
    const draft = await createDraft(database, { name: 'new', when: 'study.' }, { ...act(0), basedOn: null })
    await expect(createDraft(database, { name: 'new' }, { ...act(1), basedOn: null })).rejects.toMatchObject({
      code: 'draft-exists',
    })
    const changed = await changeDraft(database, draft, { name: 'new', pipeline: 'p' }, { at: at(2), actor: 'ben' })
    expect(changed).toMatchObject({ createdBy: 'anna', updatedBy: 'ben', definition: { name: 'new', pipeline: 'p' } })
    expect(await changeDraft(database, draft, { name: 'new' }, { at: at(3), actor: 'anna' })).toBeNull()
    expect(await findDraft(database, 'new')).toEqual(changed)
    expect(await listDrafts(database)).toHaveLength(1)
    expect([await deleteDraft(database, 'new'), await deleteDraft(database, 'new')]).toEqual([true, false])
  })

  describe('off-peak jobs', () => {
    const nights: Calendar = {
      timeZone: 'UTC',
      windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '20:00', to: '06:00' }],
      exceptions: [],
    }
    const noon = '2026-11-21T12:00:00.000Z'
    const evening = '2026-11-21T20:00:00.000Z'

    it('wait for the window, which the timeline says, and wait again when it closes before they begin', async () => {
      const { database, indexer, incoming } = store
      await changeCalendar(database, nights, { at: noon, actor: 'anna' })
      await applyRoutes(database, [route('night', { priority: 'off-peak' }), route('day')], {
        at: noon,
        author: 'test',
      })
      await indexer.index([receiveSmall(incoming, { study: 1, series: 1, instance: 1 })])
      const { id } = await database('studies').first('id')
      const completion = await completeStudy(database, { studyId: id, now: noon, reasonFor: () => 'for a test' })
      const { revision } = completion as { revision: StudyRevision }
      const queue = new JobQueue({ database, now: () => new Date(noon) })
      await routeRevision(revision.id, {
        database,
        queue,
        log: silentLog,
        pinnedPipeline: (name) => name,
        now: () => new Date(noon),
      })
      const due = async () => Object.fromEntries((await database('jobs')).map((job) => [job.route, job.run_after]))
      expect(await due()).toEqual({ night: evening, day: noon })
      expect((await queue.claim('infer'))?.route).toBe('day')
      expect(await queue.claim('infer')).toBeNull()
      const told = async () =>
        (await studyTimeline(database, studyUID(1)))?.events
          .filter(({ kind }) => kind === 'off-peak')
          .map(({ sentence }) => sentence)
      expect(await told()).toEqual([`inference by route night waits for the off-peak window that opens at ${evening}`])
      // In the window nothing is moved; when it has closed, what is still queued is.
      expect(await postponeOffPeak(database, new Date('2026-11-21T21:00:00.000Z'))).toBe(0)
      expect(await postponeOffPeak(database, new Date('2026-11-22T06:00:00.000Z'))).toBe(1)
      expect((await due()).night).toBe('2026-11-22T20:00:00.000Z')
      expect(await told()).toHaveLength(2)
      // Another calendar gives other times at once.
      const always: Calendar = { ...nights, windows: [{ ...nights.windows[0], from: '00:00', to: '24:00' } as never] }
      await changeCalendar(database, always, { at: '2026-11-22T09:00:00.000Z', actor: 'anna' })
      expect((await due()).night).toBe('2026-11-22T09:00:00.000Z')
    })
  })

  describe('past studies', () => {
    const now = '2026-06-15T12:00:00.000Z'
    const day = (n: number) => new Date(Date.parse(now) - n * 86_400_000).toISOString()
    const series = (uid: string, Modality: string, SliceThickness: number, instances = 3) => ({
      uid,
      instances,
      elements: { Modality, SliceThickness, SeriesInstanceUID: uid, SeriesDate: '20260614' },
    })
    const studies: StoredStudy[] = Array.from({ length: 50 }, (_, i) => ({
      uid: `2.25.${1000 + i}`,
      at: day(i / 2),
      elements: {
        PatientID: `P${i % 7}`,
        StudyDate: `202606${String(1 + (i % 28)).padStart(2, '0')}`,
        StudyTime: '120000',
        PatientName: { Alphabetic: `Name^${i}` },
      },
      series: [
        series(`2.25.${2000 + i}`, i % 3 === 0 ? 'MR' : 'CT', 1 + (i % 5), 10 + i),
        series(`2.25.${3000 + i}`, 'CT', 5 - (i % 5), 100 - i),
      ],
    }))
    beforeEach(async () => {
      await insertStudies(store.database, [
        ...studies,
        { uid: '2.25.99', at: day(1), series: [series('2.25.98', 'CT', 1)], arriving: true },
        { uid: '2.25.97', at: day(1), series: [] },
      ])
    })

    const before = route('lung', {
      inputs: { ct: { where: 'series.SliceThickness <= 3', prefer: ['most-instances'] } },
    })
    const variants: [string, RouteDefinition, RouteDefinition[]][] = [
      ['another condition', route('lung', { inputs: { ct: { where: 'series.SliceThickness <= 2' } } }), [before]],
      [
        'other preferences',
        route('lung', { inputs: { ct: { where: 'series.SliceThickness <= 3', prefer: ['thinnest-slices'] } } }),
        [before],
      ],
      ['days', route('lung', { when: 'study.series.exists(s, days(s.SeriesDate, today) <= 3)' }), [before]],
      ['a route that is new', route('new'), [before]],
      [
        'earlier studies',
        route('lung', {
          inputs: {
            ct: { where: 'series.Modality == "CT"' },
            old: { where: 'series.Modality == "MR"', from: 'prior' },
          },
        }),
        [before],
      ],
      [
        'routes that bear on each other',
        route('lung', { stop: true }),
        [before, route('second', { when: 'study.instances > 3' }), route('last', { fallback: true })],
      ],
    ]

    it.each(variants)('replayed, count what each study alone would give: %s', async (_, definition, active) => {
      const { database } = store
      await applyRoutes(database, active, { at: at(0), author: 'test' })
      const progress: number[] = []
      const result = await replayRoute(
        database,
        { definition, days: 14, now },
        { onProgress: (done) => void progress.push(done) },
      )
      const inForceNow = (await activeRoutes(database)).routes
      const isIt = (one: { definition: RouteDefinition }) => one.definition.name === definition.name
      const tried = { version: 0, definition }
      const after = inForceNow.some(isIt) ? inForceNow.map((one) => (isIt(one) ? tried : one)) : [...inForceNow, tried]
      const ids: number[] = await database('studies')
        .where('last_instance_at', '>=', day(14))
        .andWhere('revision', '>', 0)
        .orderBy([
          { column: 'last_instance_at', order: 'desc' },
          { column: 'id', order: 'desc' },
        ])
        .pluck('id')
      const alone: { uid: string; before: Map<string, Decision>; after: Map<string, Decision> }[] = []
      for (const id of ids) {
        const study = await routableStudy(database, id)
        const earlier = await earlierStudies(database, id)
        const of = (routes: typeof after) => new Map(evaluateRoutes(routes, study, earlier).map((d) => [d.route, d]))
        alone.push({ uid: study.studyInstanceUID, before: of(inForceNow), after: of(after) })
      }
      const own = alone.map((one) => ({
        studyInstanceUID: one.uid,
        before: one.before.get(definition.name),
        after: one.after.get(definition.name),
      }))
      const told = (d: { matched: boolean; reason: string; series: object } | undefined) =>
        d && { matched: d.matched, reason: d.reason, series: d.series }
      const differing = own.filter(
        (o) =>
          o.before &&
          JSON.stringify([o.before.matched, o.before.series]) !== JSON.stringify([o.after?.matched, o.after?.series]),
      )
      expect(result.studies).toBe(30)
      expect(progress.at(-1)).toBe(30)
      expect(result.matched).toBe(own.filter((o) => o.after?.matched).length)
      expect(result.activeMatched).toBe(own[0]?.before ? own.filter((o) => o.before?.matched).length : null)
      expect(result.gained + result.lost + result.otherSeries).toBe(differing.length)
      expect(result.differences).toEqual(
        differing.map((o) => ({
          studyInstanceUID: o.studyInstanceUID,
          kind: o.after?.matched === o.before?.matched ? 'series' : o.after?.matched ? 'gained' : 'lost',
          before: told(o.before),
          after: told(o.after),
        })),
      )
      expect(result.sample.map((s) => s.studyInstanceUID)).toEqual(
        own
          .filter((o) => o.after?.matched)
          .slice(0, 20)
          .map((o) => o.studyInstanceUID),
      )
      const others = inForceNow
        .filter((one) => !isIt(one))
        .map(({ definition: { name } }) => ({
          route: name,
          gained: alone.filter((o) => o.after.get(name)?.matched && !o.before.get(name)?.matched).length,
          lost: alone.filter((o) => !o.after.get(name)?.matched && o.before.get(name)?.matched).length,
        }))
        .filter(({ gained, lost }) => gained + lost > 0)
      expect(result.otherRoutes).toEqual(expect.arrayContaining(others))
      expect(result.otherRoutes).toHaveLength(others.length)
    })

    it('are replayed no further when that is told to end', async () => {
      const aborted = AbortSignal.abort(new Error('enough'))
      await expect(
        replayRoute(store.database, { definition: before, days: 14, now }, { signal: aborted }),
      ).rejects.toThrow('enough')
    })

    it('give the words for conditions, without what identifies people', async () => {
      const vocabulary = new RouteVocabulary(store.database)
      const all = await vocabulary.find({ search: '', limit: 1000 })
      const of = (path: string) => all.fields.find((field) => field.path === path)
      expect(all.studies).toBe(52)
      expect(of('series.Modality')).toMatchObject({
        label: 'Modality',
        vr: 'CS',
        list: false,
        seen: 51,
        values: [
          { value: 'CT', count: 51 },
          { value: 'MR', count: 17 },
        ],
      })
      expect(of('study.Modalities')).toMatchObject({ computed: true, list: true })
      expect(of('series.SliceThickness')?.values.map(({ value }) => value)).toContain(5)
      for (const path of ['study.PatientName', 'study.PatientID', 'study.StudyDate', 'series.SeriesInstanceUID'])
        expect([path, of(path)?.values]).toEqual([path, []])
      expect(JSON.stringify(all)).not.toContain('Name^')
      const found = await vocabulary.find({ search: 'body part', level: 'series', limit: 3 })
      expect(found.fields[0]).toMatchObject({ path: 'series.BodyPartExamined', label: 'Body Part Examined', seen: 0 })
    })
  })
}
