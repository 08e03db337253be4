import { expect, test } from 'vitest'
import { wantedAddress } from '../../../src/admin/ui/wanted-address.ts'

const origin = 'http://node:8080'
const from = (next: string, pathname = '/admin') =>
  wantedAddress({ pathname, origin, search: `?next=${encodeURIComponent(next)}` })

test('a login leads on to what was asked for, within this origin only', () => {
  expect(from('/viewer?StudyInstanceUIDs=1.2')).toBe(`${origin}/viewer?StudyInstanceUIDs=1.2`)
  expect(from('/viewer', '/admin/')).toBe(`${origin}/viewer`)
  for (const other of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    'viewer',
    '',
  ])
    expect(from(other), other).toBeNull()
  expect(from('/viewer', '/admin/studies')).toBeNull()
  expect(wantedAddress({ pathname: '/admin', origin, search: '' })).toBeNull()
})
