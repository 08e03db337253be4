import { expect, it } from 'vitest'
import type { CountingArchive } from '../../src/assemble/archive-counts.ts'
import { HilumError } from '../../src/errors.ts'
import { addOwnResult } from '../receive/index-contents.ts'
import { instanceUID, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { assembly } from './assembly.ts'

/** What completion promises where archives are asked how many instances a study has, on any database. */
export function archiveCases(open: () => Promise<TemporaryStore>): void {
  const on = assembly(open)
  const { restarted, time, receive, pass, reasons } = on

  /** An archive whose answers the test gives. */
  function archive(name: string, answer: () => Promise<number | null>, destination: string | null = name) {
    const asked: string[] = []
    const made: CountingArchive = {
      name,
      destination,
      count: (study) => {
        asked.push(`${study} ${on.seconds()}`)
        return answer()
      },
    }
    return { made, asked }
  }

  it('asks archives once for each state of the content, when the quiet time is over', async () => {
    let count: number | null = 2
    const pacs = archive('pacs', async () => count)
    await restarted({ archives: [pacs.made] })
    await receive([1], { released: true })
    await receive([9], { study: 2 })
    await pass(10)
    expect(pacs.asked).toEqual([`${studyUID(1)} 5`])
    await receive([2], { released: true })
    await pass(4)
    expect(pacs.asked).toHaveLength(1)
    await pass(1)
    expect(reasons()).toEqual([
      [1, 2, 'quiet 5 s after association release; all 2 instances that archive pacs counts are here'],
    ])
    count = null
    await pass(20)
    expect(reasons()[1]).toEqual([1, 1, 'quiet 20 s after the last instance'])
    expect(pacs.asked).toHaveLength(3)
  })

  it('waits for what an archive counts until the longest wait is over', async () => {
    const pacs = archive('pacs', async () => 143)
    await restarted({ archives: [pacs.made] })
    await receive([1, 2], { released: true })
    await pass(299)
    expect(on.revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, '300 s after the last instance: 2 of 143 instances that archive pacs counts']])
    expect(pacs.asked).toHaveLength(1)
  })

  it('takes the word of the first archive that knows the study', async () => {
    const archives = [
      archive('away', async () => Promise.reject(new HilumError('unreachable', 'its answer: DOE^JOHN'))),
      archive('empty', async () => null),
      archive('first', async () => 1),
      archive('second', async () => 5),
    ].map(({ made }) => made)
    await restarted({ archives })
    await receive([1], { released: true })
    await pass(5)
    expect(reasons()).toEqual([
      [1, 1, 'quiet 5 s after association release; the one instance that archive first counts is here'],
    ])
  })

  it('does not wait longer than 10 s for an archive that says nothing, and not again for the next study', async () => {
    const pacs = archive('pacs', () => new Promise<number>(() => undefined))
    await restarted({ archives: [pacs.made] })
    await receive([1], { released: true })
    await pass(14)
    expect(on.revisions).toEqual([])
    await receive([2], { study: 2, released: true })
    await pass(1)
    const reason = 'quiet 5 s after association release; archive pacs did not answer within 10 s'
    expect(reasons()).toEqual([[1, 1, reason]])
    await pass(4)
    expect(reasons()[1]?.[2]).toBe('quiet 5 s after association release; archive pacs has not answered lately')
    expect(pacs.asked).toHaveLength(1)
  })

  it('names why an archive could not be asked, without its words', async () => {
    const pacs = archive('pacs', async () => Promise.reject(new HilumError('unreachable', 'its answer: DOE^JOHN')))
    await restarted({ archives: [pacs.made] })
    await receive([1], { released: true })
    await pass(5)
    const reason = 'quiet 5 s after association release; archive pacs could not be asked (unreachable)'
    expect(reasons()).toEqual([[1, 1, reason]])
  })

  it('does not miss our own results that the archive counts as well', async () => {
    await receive([1])
    await addOwnResult(on.store.database, instanceUID(50))
    const { id } = await on.store.database('results').first('id')
    const delivery = { result_id: id, job_id: 'job', updated_at: time() }
    await on.store.database('deliveries').insert([
      { ...delivery, destination: 'pacs', state: 'verified' },
      { ...delivery, destination: 'self', state: 'verified' },
    ])
    await restarted({ archives: [archive('PACS', async () => 3, null).made] })
    await receive([2])
    await pass(20)
    expect(reasons()).toEqual([
      [2, 2, 'quiet 20 s after the last instance; all 3 instances that archive PACS counts are here'],
    ])
  })

  it('asks many studies about an archive, no more than eight at a time', async () => {
    let underWay = 0
    let most = 0
    const answers: (() => void)[] = []
    const pacs = archive('pacs', async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((resolve) => answers.push(resolve))
      underWay--
      return 1
    })
    await restarted({ archives: [pacs.made] })
    for (let study = 1; study <= 12; study++) await receive([study], { study, released: true })
    await pass(6)
    while (on.revisions.length < 12) {
      answers.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
      await pass(0)
    }
    expect(most).toBe(8)
    expect(pacs.asked).toHaveLength(12)
  })
}
