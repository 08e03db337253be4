import { expect, it } from 'vitest'
import { pathOfOrigin } from '../../src/admin/oidc.ts'

it.each([
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  'javascript:alert(1)',
  '/.//evil.example',
  '/admin/..//evil.example',
])('leads nowhere else after a login, whatever is asked for: %s', (next) => {
  expect(pathOfOrigin(next)).toBe('/admin')
})

it('leads to a page of this origin', () => {
  expect(pathOfOrigin('/viewer?StudyInstanceUIDs=1.2.3')).toBe('/viewer?StudyInstanceUIDs=1.2.3')
})
