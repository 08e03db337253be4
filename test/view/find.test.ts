import { describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { FindSessions } from '../../src/view/find-sessions.ts'
import { temporaryStore } from '../support/temporary-store.ts'
import { findCases } from './find-cases.ts'

describe('the index, asked by DIMSE', () => {
  findCases(() => temporaryStore())
})

describe('queries between two pages', () => {
  async function* numbered(pages: number, ended: { by: string | null }): AsyncGenerator<DicomJson[], void, void> {
    try {
      for (let n = 1; n <= pages; n++) yield [{ '00200013': { vr: 'IS', Value: [n] } }]
      ended.by = 'itself'
    } finally {
      ended.by ??= 'its session'
    }
  }

  it('go on where they stand, and are forgotten after the last', async () => {
    const sessions = new FindSessions()
    const ended = { by: null }
    let page = await sessions.first({ pages: numbered(2, ended), unsupported: true })
    const seen = [page]
    while (page.next !== null) {
      page = await sessions.next(page.next)
      seen.push(page)
    }
    expect(seen.flatMap(({ matches }) => matches.map((match) => match['00200013']?.Value?.[0]))).toEqual([1, 2])
    expect(seen.every(({ unsupported }) => unsupported)).toBe(true)
    expect([sessions.size, ended.by]).toEqual([0, 'itself'])
  })

  it('are dropped when there are too many, and ended', async () => {
    const sessions = new FindSessions({ maximum: 1 })
    const ended = { by: null }
    const { next } = await sessions.first({ pages: numbered(5, ended), unsupported: false })
    await sessions.first({ pages: numbered(5, { by: null }), unsupported: false })
    expect(sessions.size).toBe(1)
    await expect(sessions.next(next ?? '')).rejects.toMatchObject({ code: 'not-found' })
    expect(ended.by).toBe('its session')
    sessions.close()
    expect(sessions.size).toBe(0)
  })
})
