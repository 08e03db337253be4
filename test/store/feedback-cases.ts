import { afterEach, beforeEach, expect, it } from 'vitest'
import { allFeedback, type Feedback, giveFeedback, listFeedback } from '../../src/store/feedback.ts'
import { feedbackText } from '../../src/store/feedback-export.ts'
import { addOwnResult } from '../receive/index-contents.ts'
import { instanceUID, receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const result = '1.2.3.1.9.1'

/** What is kept of what people say of results, on any database. */
export function feedbackCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  beforeEach(async () => {
    store = await open()
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    await addOwnResult(store.database, result)
    await store.indexer.index([receiveSmall(store.incoming, { study: 2, series: 1, instance: 2 })])
    const owner = await store.database('results').first('job_id', 'study_id', 'revision_id', 'pipeline')
    await store.database('findings').insert({ ...owner, name: 'Volume', value: 4.25, unit: 'L', code: 'SCT:1' })
    const pipeline = { name: 'p', version: '1.0.3', digest: 'sha256:0', manifest: '{}', first_seen_at: '2026' }
    await store.database('pipelines').insert(pipeline)
  })
  afterEach(() => store.dispose())

  const give = (verdict: Feedback['verdict'], given: Partial<Parameters<typeof giveFeedback>[1]> = {}) =>
    giveFeedback(store.database, {
      sopInstanceUID: result,
      verdict,
      reason: null,
      correctedSOPInstanceUID: null,
      givenBy: 'user:anna',
      at: '2026-11-21T13:00:00.000Z',
      ...given,
    })
  const page = { limit: 10, offset: 0 }

  it('stands with what the result was, also after the study is gone', async () => {
    await give('rejected', { reason: 'misses the left lung' })
    await store.database('studies').delete()
    expect((await listFeedback(store.database, page)).feedback).toEqual([
      {
        id: expect.any(Number),
        at: '2026-11-21T13:00:00.000Z',
        givenBy: 'user:anna',
        verdict: 'rejected',
        reason: 'misses the left lung',
        correctedSOPInstanceUID: null,
        studyInstanceUID: studyUID(1),
        sopInstanceUID: result,
        role: 'segmentation',
        revision: 1,
        route: null,
        shadow: false,
        pipeline: 'p@sha256:0',
        version: '1.0.3',
        findings: [{ name: 'Volume', value: 4.25, unit: 'L', code: 'SCT:1', site: null }],
        truth: [],
        verifiedSOPInstanceUID: null,
        current: true,
      },
    ])
  })

  it("a later word of the same person replaces the earlier one, not another's", async () => {
    await give('accepted')
    await give('accepted', { givenBy: 'user:ben' })
    await give('rejected', { reason: 'on second thoughts' })
    const { total, feedback } = await listFeedback(store.database, page)
    expect(total).toBe(3)
    expect(feedback.map(({ verdict, givenBy, current }) => [verdict, givenBy, current])).toEqual([
      ['rejected', 'user:anna', true],
      ['accepted', 'user:ben', true],
      ['accepted', 'user:anna', false],
    ])
  })

  it('a comment takes no verdict back, and stands beside it', async () => {
    await give('accepted', { truth: [{ name: 'Opacity', present: false }] })
    await give('comment', { reason: 'seen with the previous study' })
    const { feedback } = await listFeedback(store.database, page)
    expect(feedback.map(({ verdict, current, truth }) => [verdict, current, truth])).toEqual([
      ['comment', true, []],
      ['accepted', true, [{ name: 'Opacity', present: false }]],
    ])
  })

  it('a correction is an object of the same study, or one that is not here', async () => {
    expect(await give('corrected', { correctedSOPInstanceUID: '1.2.77' })).toMatchObject({
      correctedSOPInstanceUID: '1.2.77',
    })
    await give('corrected', { correctedSOPInstanceUID: instanceUID(1) })
    await expect(give('corrected', { correctedSOPInstanceUID: instanceUID(2) })).rejects.toMatchObject({
      code: 'no-correction',
      message: `${instanceUID(2)} belongs to another study than the result`,
    })
    await expect(give('corrected', { correctedSOPInstanceUID: result })).rejects.toMatchObject({
      code: 'no-correction',
    })
    await expect(give('accepted', { sopInstanceUID: '1.2.3.4' })).rejects.toMatchObject({ code: 'unknown-result' })
    expect((await listFeedback(store.database, page)).total).toBe(2)
  })

  it('is found by verdict, pipeline, result and time', async () => {
    await give('accepted')
    await give('rejected', { reason: 'x', at: '2026-11-22T13:00:00.000Z' })
    const found = async (filter: Parameters<typeof listFeedback>[1] extends infer F ? Partial<F> : never) =>
      (await listFeedback(store.database, { ...page, ...filter })).feedback.map(({ verdict }) => verdict)
    expect(await found({ verdict: 'accepted' })).toEqual(['accepted'])
    expect(await found({ pipeline: 'p' })).toHaveLength(2)
    expect(await found({ pipeline: 'p@sha256:0' })).toHaveLength(2)
    expect(await found({ pipeline: '%' })).toEqual([])
    expect(await found({ pipeline: 'p@sha256:1' })).toEqual([])
    expect(await found({ from: '2026-11-22T00:00:00.000Z' })).toEqual(['rejected'])
    expect(await found({ to: '2026-11-22T00:00:00.000Z' })).toEqual(['accepted'])
    expect(await found({ sopInstanceUID: '1.2' })).toEqual([])
  })

  it('is exported as CSV and as JSON, more rows than are read at a time', async () => {
    await give('rejected', { reason: '=cmd()|"a", b\nc' })
    const { id: _, ...row } = await store.database('feedback').first()
    for (let n = 0; n < 6; n++)
      await store.database('feedback').insert(Array.from({ length: 100 }, () => ({ ...row, reason: 'again' })))
    const text = async (format: 'csv' | 'json') => {
      let whole = ''
      for await (const part of feedbackText(allFeedback(store.database, {}), format)) whole += part
      return whole
    }
    const rows = JSON.parse(await text('json')) as Feedback[]
    expect(rows).toHaveLength(601)
    expect(new Set(rows.map(({ id }) => id)).size).toBe(601)
    expect(rows[0]).toMatchObject({ reason: '=cmd()|"a", b\nc', findings: [{ value: 4.25 }] })
    const lines = (await text('csv')).split('\r\n')
    expect(lines).toHaveLength(603)
    expect(lines[0]).toMatch(/^id,at,givenBy,verdict,current,reason,/)
    // No formula for a spreadsheet, and quotes doubled.
    expect(lines[1]).toContain(`,rejected,false,"'=cmd()|""a"", b\nc",,${studyUID(1)},${result},segmentation,1,,false,`)
    expect(lines[1]).toContain('"[{""name"":""Volume""')
  })

  it('an export of nothing is a heading, or an empty list', async () => {
    const pieces = async (format: 'csv' | 'json') => {
      const found: string[] = []
      for await (const part of feedbackText(allFeedback(store.database, {}), format)) found.push(part)
      return found
    }
    expect(await pieces('json')).toEqual(['[]\n'])
    expect(await pieces('csv')).toHaveLength(1)
  })
}
