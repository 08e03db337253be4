import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import vm from 'node:vm'
import { brotliCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { viewerRouter } from '../../src/view/viewer.ts'
import { type ServedStore, serveStore } from './served-store.ts'

const index = '<!doctype html><head><script>window.PUBLIC_URL="/"</script><script src="/app-config.js"></script></head>'
let store: ServedStore | undefined
let folder: string | undefined

afterEach(async () => {
  await store?.close()
  if (folder) rmSync(folder, { recursive: true })
  folder = undefined
})

async function serve(withViewer: boolean): Promise<ServedStore> {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-viewer-'))
  if (withViewer) {
    mkdirSync(path.join(folder, 'assets'))
    writeFileSync(path.join(folder, 'index.html'), index)
    writeFileSync(path.join(folder, 'app-config.js'), 'throw new Error("the package’s own configuration")')
    writeFileSync(path.join(folder, '781.bundle.54774b486e83a5e1.js'), 'plain')
    writeFileSync(path.join(folder, '781.bundle.54774b486e83a5e1.js.br'), brotliCompressSync('packed'))
    writeFileSync(path.join(folder, '776f756dd939124e.wasm'), Buffer.from([0, 0x61, 0x73, 0x6d]))
    writeFileSync(path.join(folder, 'manifest.json'), '{}')
    writeFileSync(path.join(folder, '.secret'), 'secret')
  }
  store = await serveStore([], { root: viewerRouter({ folder, log: silentLog }) })
  return store
}

describe('the viewer', () => {
  it('is one page for its own routes, and nothing else of the origin', async () => {
    const { fetch } = await serve(true)
    for (const where of ['/viewer?StudyInstanceUIDs=1.2.3', '/viewer/dicomweb', '/segmentation', '/local']) {
      const page = await fetch(where)
      expect(page.status, where).toBe(200)
      // One line more than OHIF's own page: the bar for what readers say of results.
      expect(await page.text()).toBe(
        index.replace('</head>', '<script type="module" src="/admin/viewer-bar.js"></script></head>'),
      )
      expect(page.headers.get('cache-control')).toBe('no-cache')
    }
    for (const where of ['/', '/index.html', '/admin', '/nothing.js', '/.secret', '/%2e%2e%2fetc/passwd', '/viewers']) {
      expect((await fetch(where)).status, where).toBe(404)
    }
    expect((await fetch('/dicomweb/studies')).status).toBe(200)
  })

  it('is told to ask this node, and nobody else', async () => {
    const { fetch } = await serve(true)
    const script = await fetch('/app-config.js')
    expect(script.headers.get('content-type')).toContain('text/javascript')
    const window: { config?: { dataSources: { configuration: Record<string, unknown> }[] } } = {}
    const text = await script.text()
    vm.runInNewContext(text, { window })
    expect(window.config?.dataSources).toHaveLength(1)
    expect(window.config?.dataSources[0]?.configuration).toMatchObject({
      qidoRoot: '/dicomweb',
      wadoRoot: '/dicomweb',
      wadoUriRoot: '/dicomweb',
      imageRendering: 'wadors',
      thumbnailRendering: 'wadors',
      omitQuotationForMultipartRequest: true,
    })
    expect(text).not.toMatch(/https?:/)
  })

  it('has assets with their types, cached for ever where the name changes with the content', async () => {
    const { fetch } = await serve(true)
    const wasm = await fetch('/776f756dd939124e.wasm')
    expect(wasm.headers.get('content-type')).toBe('application/wasm')
    expect(wasm.headers.get('cache-control')).toContain('immutable')
    expect((await fetch('/manifest.json')).headers.get('cache-control')).toBe('no-cache')
    expect((await fetch('/manifest.json', { method: 'POST' })).status).toBe(404)
  })

  it('is sent compressed where it lies compressed', async () => {
    const { fetch } = await serve(true)
    const packed = await fetch('/781.bundle.54774b486e83a5e1.js', { headers: { 'accept-encoding': 'br' } })
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(packed.headers.get('content-type')).toContain('javascript')
    expect(packed.headers.get('cache-control')).toContain('immutable')
    expect(await packed.text()).toBe('packed')
    const plain = await fetch('/781.bundle.54774b486e83a5e1.js', { headers: { 'accept-encoding': 'identity' } })
    expect(await plain.text()).toBe('plain')
  })

  it('may run its own inline scripts only', async () => {
    const { fetch } = await serve(true)
    const policy = (await fetch('/viewer')).headers.get('content-security-policy') ?? ''
    // printf 'window.PUBLIC_URL="/"' | openssl dgst -sha256 -binary | base64
    expect(policy).toContain("'sha256-iDPt/Ua3DNNwIdzDqulCGYDYPv58ixnA75eez8NxOJg='")
    expect(policy.split(';').find((directive) => directive.trim().startsWith('script-src'))).not.toContain(
      'unsafe-inline',
    )
    expect(policy).toContain("default-src 'self'")
  })

  it('says how to add it where it is missing', async () => {
    const { fetch } = await serve(false)
    const page = await fetch('/viewer?StudyInstanceUIDs=1.2.3')
    expect(page.status).toBe(503)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('npm run setup -- --viewer')
    expect((await fetch('/dicomweb/studies')).status).toBe(200)
  })
})
