import { expect, it } from 'vitest'
import { verifyCaller } from '../../src/admin/app.ts'
import { LoginThrottle } from '../../src/admin/login-throttle.ts'

const user = { name: 'ct1', role: 'viewer' }
const accounts = { authenticate: async (_name: string, password: string) => (password === 'right' ? user : null) }

it('takes the right password only, and not even that after five wrong ones from the same address', async () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const auth = { accounts, throttle: new LoginThrottle(() => now) } as unknown as Parameters<typeof verifyCaller>[0]
  const tries = (password: string, address = '10.0.0.5') => verifyCaller(auth, { name: 'ct1', password, address })

  expect(await tries('right')).toBe(true)
  for (let count = 0; count < 5; count++) expect(await tries('wrong')).toBe(false)
  expect(await tries('right')).toBe(false)
  // The same name elsewhere is not locked out, nor is the login page.
  expect(await tries('right', '10.0.0.6')).toBe(true)
  expect(auth.throttle.waitSeconds('ct1', '10.0.0.7')).toBe(0)

  now = new Date(now.getTime() + 16 * 60 * 1000)
  expect(await tries('right')).toBe(true)
})
