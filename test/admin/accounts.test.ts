import { describe, expect, it } from 'vitest'
import { LoginThrottle } from '../../src/admin/login-throttle.ts'
import { weaknessOf } from '../../src/admin/passwords.ts'
import { temporaryStore } from '../support/temporary-store.ts'
import { accountsCases } from './accounts-cases.ts'

describe('users, tokens and sessions', () => accountsCases(temporaryStore))

describe('passwords', () => {
  it.each([
    'short',
    'anna and her horse',
    'aaaaaaaaaaaabbb',
    'abcdefghijklm',
    '123456789012',
    'Password12345',
    'passwordpassword',
    'qwertyuiopas',
    'Hilumhilum123',
  ])('refuses %s', (password) => {
    expect(weaknessOf(password, 'anna')).not.toBeNull()
  })

  it.each(['a password of my own', 'correct horse battery', 'Zx9-kk2p-QqvB', 'Grüße aus Köln 1'])(
    'takes %s',
    (password) => {
      expect(weaknessOf(password, 'anna')).toBeNull()
    },
  )
})

describe('the slowing of guesses', () => {
  it('makes whoever guesses wait, and nobody else', () => {
    const throttle = new LoginThrottle()
    for (let i = 0; i < 5; i++) throttle.failed('anna', '10.0.0.66')
    expect(throttle.waitSeconds('anna', '10.0.0.66')).toBeGreaterThan(800)
    expect(throttle.waitSeconds('anna', '10.0.0.1')).toBe(0)
    expect(throttle.waitSeconds('berta', '10.0.0.66')).toBe(0)
  })

  it('makes an address wait that tries many names', () => {
    const throttle = new LoginThrottle()
    for (let i = 0; i < 20; i++) throttle.failed(`name ${i}`, '10.0.0.66')
    expect(throttle.waitSeconds('anna', '10.0.0.66')).toBeGreaterThan(0)
    expect(throttle.waitSeconds('anna', '10.0.0.1')).toBe(0)
  })

  it('makes a name wait that is guessed from many addresses, but not where its user has logged in before', () => {
    const throttle = new LoginThrottle()
    throttle.failed('anna', '10.0.0.1')
    throttle.succeeded('anna', '10.0.0.1')
    for (let i = 0; i < 50; i++) throttle.failed('anna', `10.1.0.${i}`)
    expect(throttle.waitSeconds('anna', '10.2.0.1')).toBeGreaterThan(0)
    expect(throttle.waitSeconds('anna', '10.0.0.1')).toBe(0)
  })
})
