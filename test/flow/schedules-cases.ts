import { afterEach, beforeEach, expect, it } from 'vitest'
import { Schedules, type Task } from '../../src/flow/schedules.ts'
import { weeklyReport } from '../../src/flow/weekly-report.ts'
import { silentLog } from '../../src/log.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

/** What runs by schedule, on any database. */
export function schedulesCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  const running: Schedules[] = []

  beforeEach(async () => {
    store = await open()
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop()
    await store.dispose()
  })

  const task = (run: Task['run'], more: Partial<Task> = {}): Task => ({
    name: 'task',
    title: 'Task',
    description: '',
    cron: '0 0 1 1 *',
    enabled: true,
    run,
    ...more,
  })
  const start = async (one: Task, now?: () => Date): Promise<Schedules> => {
    const schedules = new Schedules({ database: store.database, log: silentLog, tasks: [one], ...(now && { now }) })
    running.push(schedules)
    await schedules.start()
    return schedules
  }

  it('runs when its time has come, on one of several nodes only', async () => {
    let runs = 0
    let tell = () => {}
    const ran = new Promise<void>((resolve) => {
      tell = resolve
    })
    const one = task(
      async () => {
        runs++
        tell()
        return 'done so'
      },
      { cron: '* * * * * *' },
    )
    const [first, second] = [await start(one), await start(one)]
    await ran
    await Promise.all([first.stop(), second.stop()])
    running.length = 0
    const rows = await first.runs('task', { limit: 10 })
    expect(rows).toHaveLength(runs)
    expect(new Set(rows.map(({ startedAt }) => startedAt.slice(0, 19))).size).toBe(runs)
    expect(rows.at(-1)).toMatchObject({ by: 'schedule', outcome: 'done', sentence: 'done so' })
  })

  it('never runs twice at a time, and says why a run has failed', async () => {
    let end = () => {}
    const schedules = await start(
      task(
        () =>
          new Promise((_, reject) => {
            end = () => reject(new Error('no room'))
          }),
      ),
    )
    expect(await schedules.runNow('task', 'anna')).toMatchObject({ by: 'anna', outcome: null })
    await expect(schedules.runNow('task', 'ben')).rejects.toMatchObject({ code: 'schedule-running' })
    await expect((await start(task(async () => ''))).runNow('task', 'ben')).rejects.toMatchObject({
      code: 'schedule-running',
    })
    end()
    await schedules.settled()
    expect((await schedules.list())[0]).toMatchObject({
      running: false,
      lastRun: { outcome: 'failed', sentence: 'no room' },
    })
  })

  it('keeps what was set, refuses what is none, and tells what was missed', async () => {
    const schedules = await start(task(async () => ''))
    await expect(
      schedules.change('task', { cron: 'often', timeZone: null, enabled: null }, 'anna'),
    ).rejects.toMatchObject({ code: 'bad-schedule' })
    await expect(
      schedules.change('task', { cron: null, timeZone: 'Mars/North', enabled: null }, 'anna'),
    ).rejects.toMatchObject({ code: 'bad-schedule' })
    await expect(
      schedules.change('other', { cron: null, timeZone: null, enabled: null }, 'anna'),
    ).rejects.toMatchObject({ code: 'schedule-unknown' })
    const changed = await schedules.change(
      'task',
      { cron: '30 2 * * *', timeZone: 'Europe/Berlin', enabled: null },
      'anna',
    )
    expect(changed).toMatchObject({ cron: '30 2 * * *', timeZone: 'Europe/Berlin', author: 'anna' })
    expect(changed.nextRun).toMatch(/T0[01]:30:00/)
    await schedules.stop()
    running.length = 0
    const due = '2026-01-01T00:30:00.000Z'
    await store.database('schedules').update({ next_at: due })
    const again = await start(task(async () => ''))
    expect(await again.runs('task', { limit: 10 })).toMatchObject([{ outcome: 'missed', startedAt: due }])
    expect((await again.list())[0]).toMatchObject({ cron: '30 2 * * *', lastRun: { outcome: 'missed' } })
    await again.change('task', { cron: null, timeZone: null, enabled: false }, 'anna')
    expect((await again.list())[0]).toMatchObject({ enabled: false, nextRun: null, cron: '0 0 1 1 *' })
  })

  it('takes a run for interrupted whose process says nothing any more', async () => {
    const long = {
      holder: 'gone:1',
      held_until: '2026-01-01T00:00:00.000Z',
      last_started_at: '2026-01-01T00:00:00.000Z',
    }
    await store.database('schedules').insert({ name: 'task', ...long })
    await store.database('schedule_runs').insert({ name: 'task', by: 'schedule', started_at: long.last_started_at })
    const schedules = await start(task(async () => 'again'))
    expect(await schedules.runs('task', { limit: 1 })).toMatchObject([{ outcome: 'interrupted' }])
    await schedules.runNow('task', 'anna')
    await schedules.settled()
    expect((await schedules.list())[0]?.lastRun).toMatchObject({ outcome: 'done', sentence: 'again' })
  })

  it('reports the week, without small numbers', async () => {
    const study = (i: number) => ({
      study_instance_uid: `2.25.${i}`,
      header: '{}',
      state: 'done',
      last_instance_at: '2026-11-18T10:00:00.000Z',
      created_at: `2026-11-1${i < 3 ? 7 : 8}T10:00:00.000Z`,
      updated_at: '2026-11-18T10:00:00.000Z',
    })
    await store.database('studies').insert(Array.from({ length: 10 }, (_, i) => study(i)))
    const report = await weeklyReport(store.database, new Date('2026-11-21T12:00:00.000Z'))
    expect(report.sentence).toBe('the week from 2026-11-14 to 2026-11-20')
    expect(report.html).toContain('<td align="right">–</td><td align="right">–</td>')
    expect(report.pictures).toHaveLength(6)
    expect(
      Buffer.from(report.pictures?.[0]?.png ?? '', 'base64')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
  })
}
