import { expect, test } from 'vitest'
import {
  bytes,
  dicomDate,
  duration,
  number,
  personName,
  plural,
  quantity,
  timeAgo,
} from '../../../src/admin/ui/words.ts'

test('numbers have thousands, and amounts their units', () => {
  expect(number(1204)).toBe('1,204')
  expect(plural(1, 'study', 'studies')).toBe('1 study')
  expect(plural(0, 'study', 'studies')).toBe('0 studies')
  expect([bytes(0), bytes(1023), bytes(1536), bytes(24 * 1024 ** 3)]).toEqual(['0 B', '1,023 B', '1.5 KiB', '24 GiB'])
})

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [9720, '9.7 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
])('%i ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words)
})

test('times are relative as long as that tells more than a date', () => {
  const now = new Date(2026, 10, 21, 14, 5).getTime()
  const before = (ms: number) => timeAgo(new Date(now - ms).toISOString(), now)
  const hour = 3_600_000
  expect([before(0), before(30_000), before(-90_000), before(4 * hour)]).toEqual([
    'just now',
    '30 s ago',
    'in 2 min',
    '4 h ago',
  ])
  expect([before(9 * hour), before(20 * hour), before(24 * 30 * hour)]).toEqual([
    'today, 05:05',
    'yesterday, 18:05',
    '22 Oct 2026',
  ])
})

test('DICOM values are read as people write them', () => {
  expect(personName('DOE^JANE^M^^')).toBe('DOE, JANE M')
  expect(personName('Yamada^Tarou=山田^太郎')).toBe('Yamada, Tarou')
  expect([personName(''), personName(null), personName('^')]).toEqual(['No name', 'No name', 'No name'])
  expect([dicomDate('20260131'), dicomDate('1996.06.11'), dicomDate('soon')]).toEqual([
    '31 Jan 2026',
    '11 Jun 1996',
    'soon',
  ])
  expect([quantity(-902.4, "[hnsf'U]"), quantity(4.181, 'L'), quantity(37.66, '%'), quantity(3, '{counts}')]).toEqual([
    '−902 HU',
    '4.18 L',
    '37.7 %',
    '3.00',
  ])
})
