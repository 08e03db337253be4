import { describe, expect, it } from 'vitest'
import { dicomMoment } from '../../src/encode/date-time.ts'

describe('the date of a result', () => {
  it('is local to the offset that the study declares', () => {
    expect(dicomMoment('2025-12-31T23:30:05.007Z', '+0900')).toEqual({
      date: '20260101',
      time: '083005.007',
      dateTime: '20260101083005.007',
    })
    expect(dicomMoment('2025-12-31T23:30:05.007Z', '-0330').dateTime).toBe('20251231200005.007')
  })
})
