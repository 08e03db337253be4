import { expect, it } from 'vitest'
import { instanceUID, studyUID } from '../support/small-instance.ts'
import { availabilityOf } from '../support/statement-attributes.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { assembly, sender } from './assembly.ts'

/** What completion promises where steps, notifications, orders and routes say something of a study, on any database. */
export function completenessCases(open: () => Promise<TemporaryStore>): void {
  const on = assembly(open)
  const { restarted, time, receive, pass, reasons, step, create, complete, order, eventsOf } = on

  it('completes a study at once when the last instance of a completed step is there, though its association is open', async () => {
    await create('1.2.8.1')
    await complete('1.2.8.1', [1, 2])
    await receive([1])
    await pass(60)
    expect(on.revisions).toEqual([])
    await receive([2, 3])
    await pass(1)
    expect(reasons()).toEqual([[1, 3, 'all 2 instances that MPPS 1.2.8.1 lists are here']])
  })

  it('completes a study at once when its step is completed after the last instance', async () => {
    await create('1.2.8.1')
    await receive([1, 2], { released: true })
    await pass(100)
    expect(on.revisions).toEqual([])
    expect(await complete('1.2.8.1', [1, 2])).toEqual({ about: 'done' })
    await pass(0)
    expect(reasons()).toEqual([[1, 2, 'all 2 instances that MPPS 1.2.8.1 lists are here']])
    expect(on.told).toContain(studyUID(1))
  })

  it('waits for listed instances until the longest wait is over, and counts the right ones', async () => {
    await create('1.2.8.1')
    await complete('1.2.8.1', [1, 2])
    await receive([1, 7, 8], { released: true })
    await pass(299)
    expect(on.revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 3, '300 s after the last instance: 1 of 2 instances that MPPS 1.2.8.1 lists']])
  })

  it('waits for a step that is in progress until the longest wait is over', async () => {
    await receive([1], { released: true })
    await create('1.2.8.1')
    await pass(299)
    expect(on.revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 1, '300 s after the last instance: MPPS 1.2.8.1 is still in progress']])
  })

  it('waits for every step of a study', async () => {
    await create('1.2.8.1')
    await create('1.2.8.2')
    await complete('1.2.8.1', [1])
    await receive([1], { released: true })
    await pass(100)
    expect(on.revisions).toEqual([])
    await complete('1.2.8.2', [2])
    await pass(1)
    expect(on.revisions).toEqual([])
    await receive([2])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, 'all 2 instances that 2 MPPS and availability notifications list are here']])
  })

  it('takes what is there for all when a step is discontinued', async () => {
    await restarted({ quietFor: async () => ({ seconds: 60, because: 'route slow' }) })
    await create('1.2.8.1')
    await receive([1], { released: true })
    await step('mpps-set', '1.2.8.1', { status: 'DISCONTINUED' })
    await pass(5)
    expect(reasons()).toEqual([[1, 1, 'quiet 5 s after association release; MPPS 1.2.8.1 was discontinued']])
  })

  it('keeps the states of a step as the standard says', async () => {
    expect(await step('mpps-create', '1.2.8.1', { status: 'COMPLETED' })).toMatchObject({ status: 0x0106 })
    expect(await step('mpps-create', '1.2.8.1', { status: 'constructor' })).toMatchObject({ status: 0x0106 })
    expect(await step('mpps-create', '1.2.8.1', {})).toMatchObject({ status: 0x0120 })
    expect(await complete('1.2.8.1', [1])).toMatchObject({ status: 0x0112 })
    expect(await create('1.2.8.1')).toEqual({ about: 'done' })
    expect(await create('1.2.8.1')).toMatchObject({ status: 0x0111 })
    expect(await step('mpps-set', '1.2.8.1', { status: 'PAUSED' })).toMatchObject({ status: 0x0106 })
    expect(await step('mpps-set', '1.2.8.1', { series: { '1.2.3.1.1': ['1.2.9.1'] } })).toEqual({ about: 'done' })
    expect(await complete('1.2.8.1', [1])).toEqual({ about: 'done' })
    const comment = 'Performed Procedure Step Object may no longer be updated'
    expect(await complete('1.2.8.1', [1])).toMatchObject({ status: 0x0110, comment, errorID: 0xa710 })
  })

  it('finds instances of a step for several studies in each of them', async () => {
    await step('mpps-create', '1.2.8.1', { status: 'IN PROGRESS', studies: [studyUID(1), studyUID(2)] })
    await complete('1.2.8.1', [1, 2])
    await receive([1], { released: true })
    await pass(10)
    expect(on.revisions).toEqual([])
    await receive([2], { study: 2, released: true })
    await pass(1)
    expect(on.revisions.map(({ studyInstanceUID }) => studyInstanceUID)).toContain(studyUID(2))
  })

  it('waits for what comes late to one of several studies of a step, like for anything that nobody lists', async () => {
    await step('mpps-create', '1.2.8.1', { status: 'IN PROGRESS', studies: [studyUID(1), studyUID(2)] })
    await complete('1.2.8.1', [1, 2])
    await receive([1], { released: true })
    await receive([2], { study: 2, released: true })
    await pass(20)
    expect(on.revisions).toHaveLength(2)
    await receive([3])
    await pass(10)
    expect(on.revisions).toHaveLength(2)
    await pass(10)
    expect(reasons()[2]).toEqual([2, 2, 'quiet 20 s after the last instance'])
  })

  it('adds up what notifications list, and leaves out what is unavailable', async () => {
    const available = (uids: string[], unavailable: string[] = []) =>
      on.hints.answer({ about: 'availability', attributes: availabilityOf(studyUID(1), uids, unavailable), sender })
    await available([instanceUID(1)], [instanceUID(9)])
    await available([instanceUID(2)])
    await receive([1], { released: true })
    await pass(10)
    expect(on.revisions).toEqual([])
    await receive([2])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, 'all 2 instances that an availability notification lists are here']])
    expect(await on.hints.answer({ about: 'availability', attributes: {}, sender })).toMatchObject({ status: 0x0120 })
    expect(await eventsOf()).toEqual([['availability', 'instances available at CT1@10.0.0.5: 1 instance in 1 series']])
  })

  it('does not take what an earlier revision had for news about a late instance', async () => {
    await create('1.2.8.1')
    await complete('1.2.8.1', [1])
    await receive([1], { released: true })
    await pass(1)
    await receive([2], { released: true })
    await pass(4)
    expect(on.revisions).toHaveLength(1)
    await pass(1)
    expect(reasons()[1]).toEqual([2, 2, 'quiet 5 s after association release'])
  })

  it('tells in the timeline what was said of a study, also before it came', async () => {
    await step('mpps-create', '1.2.8.1', {
      status: 'IN PROGRESS',
      studies: [studyUID(1)],
      startedAt: ['20261121', '140322.5'],
    })
    await pass(1)
    await complete('1.2.8.1', [1, 2])
    await order({ studyInstanceUID: studyUID(1), state: 'cancelled', because: 'ORC-1 CA' })
    await order({ studyInstanceUID: studyUID(1), state: 'cancelled', because: 'ORC-1 CA' })
    await receive([1])
    expect(await eventsOf()).toEqual([
      ['mpps', 'MPPS 1.2.8.1 in progress since 2026-11-21 14:03:22, says CT1@10.0.0.5'],
      ['mpps', 'MPPS 1.2.8.1 completed: 2 instances in 1 series'],
      ['order', 'HL7 ORM^O01: the order is cancelled (ORC-1 CA)'],
    ])
  })

  it("takes a completed order's release for the end, although a route waits longer", async () => {
    await restarted({ quietFor: async () => ({ seconds: 60, because: 'route slow' }) })
    await receive([1], { released: true })
    await order({ studyInstanceUID: studyUID(1) })
    await pass(4)
    expect(on.revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 1, 'quiet 5 s after association release; HL7 says that the order is completed']])
  })

  it('finds an order by its accession number, and never by an empty one', async () => {
    await restarted({ quietFor: async () => ({ seconds: 60, because: 'route slow' }) })
    await order({ accessionNumbers: ['X', 'ACC1'] })
    await order({ accessionNumbers: ['ACC1'], state: 'noted', because: null })
    await receive([1], { released: true })
    await receive([2], { study: 2, released: true })
    await on.store
      .database('studies')
      .where({ study_instance_uid: studyUID(1) })
      .update({ accession_number: 'ACC1' })
    await on.store
      .database('studies')
      .where({ study_instance_uid: studyUID(2) })
      .update({ accession_number: '' })
    await pass(5)
    expect(on.revisions.map(({ studyInstanceUID }) => studyInstanceUID)).toEqual([studyUID(1)])
    expect(await eventsOf()).toHaveLength(2)
    expect(await eventsOf(studyUID(2))).toEqual([])
  })

  it('forgets hints of studies that never came after 30 days, and keeps the others', async () => {
    await create('1.2.8.1')
    await create('1.2.8.2', '1.2.3.99')
    await order({ accessionNumbers: ['NEVER'] })
    await receive([1], { released: true })
    await pass(29 * 86_400)
    expect(await on.hints.expire()).toBe(0)
    await pass(2 * 86_400)
    expect(await on.hints.expire()).toBe(2)
    expect(await eventsOf()).toHaveLength(1)
  })

  it('waits for a route that lacks one of its series, and no longer than for the longest wait', async () => {
    await restarted({ missingFor: async () => 'route brain has no series for its input "flair"' })
    await receive([1], { released: true })
    await pass(299)
    expect(on.revisions).toEqual([])
    await pass(1)
    const reason = '300 s after the last instance: route brain has no series for its input "flair"'
    expect(reasons()).toEqual([[1, 1, reason]])
  })

  it('makes no revision of content that an earlier one had, and says so', async () => {
    await receive([1], { released: true })
    await pass(5)
    await receive([2], { released: true })
    await pass(5)
    await receive([2], { study: 2, content: 'moved', released: true })
    // The index takes the time at which an instance leaves a study from its own clock.
    await on.store
      .database('studies')
      .where({ study_instance_uid: studyUID(1) })
      .update({ last_instance_at: time() })
    await pass(30)
    expect(on.revisions.filter(({ studyInstanceUID }) => studyInstanceUID === studyUID(1))).toHaveLength(2)
    expect(await eventsOf()).toContainEqual([
      'content-returned',
      'the content is again that of revision 1: no new revision is made of it',
    ])
  })

  it('makes no revision of instances that are sent again', async () => {
    await create('1.2.8.1')
    await complete('1.2.8.1', [1, 2])
    await receive([1, 2], { released: true })
    await pass(1)
    await receive([1, 2], { released: true })
    await receive([2, 1], { released: true })
    await pass(400)
    expect(on.revisions).toHaveLength(1)
  })
}
