import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../support/data.ts'
import { RunningApp } from './running-app.ts'

describe("the page's files", () => {
  const app = new RunningApp()
  beforeAll(() => app.start())
  afterAll(() => app.stop())

  const page = async (where: string) => {
    const answer = await app.fetch(where, { token: null })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  it('gives every answer a nonce of its own, which the policy names', async () => {
    const nonces = new Set<string>()
    for (const where of ['/admin', '/admin/', '/admin/index.html', '/admin/studies/1.2.3']) {
      const { status, headers, text } = await page(where)
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-cache'])
      const nonce = /<meta property="csp-nonce" nonce="([^"]+)"/.exec(text)?.[1] ?? ''
      expect(nonce).toMatch(/^[\w+/]{24}$/)
      expect(headers.get('content-security-policy')).toContain(`style-src 'self' 'nonce-${nonce}'`)
      expect(text).not.toContain('__CSP_NONCE__')
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(4)
  })

  it('lets files with a digest in their name be kept for a year, and nothing else', async () => {
    const manifest = JSON.parse(readFileSync(path.join(repository, 'dist/admin/ui/manifest.json'), 'utf8')) as Record<
      string,
      { file: string }
    >
    const { status, headers } = await page(`/admin/${manifest['index.html']?.file}`)
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect((await page('/admin/scheme.js')).headers.get('cache-control')).toBe('no-cache')
  })

  it('answers for a file of an earlier version that it is gone, not with the page', async () => {
    expect((await page('/admin/assets/index-old.js')).status).toBe(404)
    expect((await page('/admin/.sources')).text).not.toMatch(/^[0-9a-f]{64}$/)
  })

  it('loads nothing from elsewhere, and holds no script of its own', async () => {
    const { text } = await page('/admin')
    const addresses = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)
    expect(addresses.length).toBeGreaterThan(2)
    for (const address of addresses) expect(address).toMatch(/^\/admin\//)
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)/)
  })
})
