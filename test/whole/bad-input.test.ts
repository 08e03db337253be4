import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { available, runProgram } from '../support/programs.ts'

const ready = available('storescu', 'echoscu')

interface Quarantined {
  id: number
  code: string
  reason: string
  sopInstanceUID: string | null
  size: number
}

describe.skipIf(!ready)('what bad input gets', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-bad-'))
  const node = new NodeProcess()
  let files: string[] = []

  beforeAll(async () => {
    files = await writePhantom(folder, chestPhantom({ slices: 3, rows: 64, columns: 64 }))
    await node.start()
  })
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const store = (...args: string[]) =>
    runProgram('storescu', ['-v', ...args.slice(0, -1), '127.0.0.1', String(node.dimsePort), args.at(-1) ?? ''])

  it('an association for another AE title: rejected, called AE title not recognized', () => {
    const done = runProgram('echoscu', ['-v', '-aec', 'SOMEBODY', '127.0.0.1', String(node.dimsePort)])
    expect(done.code).not.toBe(0)
    expect(done.output).toContain('Called AE Title Not Recognized')
  })

  it('a truncated object: refused with a status, the bytes and the reason in quarantine', async () => {
    const whole = readFileSync(files[0] ?? '')
    const cut = path.join(folder, 'cut.dcm')
    writeFileSync(cut, whole.subarray(0, whole.length - 1000))
    // dcmtk refuses to read such a file, so the bytes go out by the node's own sender, which moves them as they are.
    const done = runProgram('node', ['dist/main.js', 'send', cut, '--to', `HILUM@127.0.0.1:${node.dimsePort}`])
    expect(done.code).toBe(1)
    const listed = await node.json<{ objects: Quarantined[] }>('/api/quarantine')
    expect(listed.objects).toHaveLength(1)
    expect(listed.objects[0]?.reason).toMatch(/Pixel Data announces \d+ bytes/)
    const kept = await node.fetch(`/api/quarantine/${listed.objects[0]?.id}/file`)
    expect((await kept.arrayBuffer()).byteLength).toBe(listed.objects[0]?.size)
  })

  it('bytes that are no DICOM PDU: an A-ABORT, and the next association is served', async () => {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const socket = connect(node.dimsePort, '127.0.0.1', () =>
        socket.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
      )
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('close', () => resolve(Buffer.concat(chunks)))
      socket.on('error', reject)
    })
    expect(answer[0]).toBe(0x07)
    expect(runProgram('echoscu', ['-aec', 'HILUM', '127.0.0.1', String(node.dimsePort)]).code).toBe(0)
  })

  it('a folder without room: 0xA700 before anything is kept', async () => {
    const full = await new NodeProcess({ HILUM_RECEIVE_MINIMUMFREE: String(2 ** 50) }).start()
    try {
      const done = runProgram('storescu', ['-v', '-aec', 'HILUM', '127.0.0.1', String(full.dimsePort), files[0] ?? ''])
      expect(done.output).toMatch(/OutOfResources|0xa700/i)
      expect(await full.json('/dicomweb/studies')).toEqual([])
    } finally {
      await full.dispose()
    }
  })

  it('an address that does not exist: a problem document', async () => {
    for (const where of [
      '/dicomweb/nothing',
      '/api/nothing',
      '/dicomweb/studies/not-a-uid/series',
      '/dicomweb/studies?NoSuchKeyword=1',
    ]) {
      const response = await node.fetch(where)
      expect(response.status, where).toBeGreaterThanOrEqual(400)
      expect(response.headers.get('content-type'), where).toContain('application/problem+json')
      expect(await response.json(), where).toMatchObject({ status: response.status, title: expect.any(String) })
    }
  })

  it('a caller without a token: 401, except for the health checks', async () => {
    for (const where of ['/dicomweb/studies', '/api/studies', '/metrics', '/api/events', '/viewer']) {
      const response = await fetch(new URL(where, node.url), {
        redirect: 'manual',
        headers: { accept: 'application/json' },
      })
      expect([401, 302, 303], where).toContain(response.status)
    }
    expect((await fetch(new URL('/healthz', node.url))).status).toBe(200)
    expect((await fetch(new URL('/readyz', node.url))).status).toBe(200)
  })

  it('a STOW-RS part that is no DICOM: its own failure reason, while the good part is stored', async () => {
    const boundary = 'part'
    const part = (bytes: Buffer) =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
        bytes,
        Buffer.from('\r\n'),
      ])
    const body = Buffer.concat([
      part(readFileSync(files[1] ?? '')),
      part(Buffer.from('not DICOM')),
      Buffer.from(`--${boundary}--\r\n`),
    ])
    const response = await node.fetch('/dicomweb/studies', {
      method: 'POST',
      headers: {
        'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
        accept: 'application/dicom+json',
      },
      body,
    })
    expect(response.status).toBe(202)
    const answer = (await response.json()) as Record<string, { Value: unknown[] }>
    expect(answer['00081199']?.Value).toHaveLength(1)
    // Other Failures Sequence: what has no UIDs cannot stand among the failed instances (PS3.18 Table I.1-1).
    expect(answer['0008119A']?.Value).toHaveLength(1)
  })

  it('the storescu that is right is served all along', () => {
    expect(store('-aec', 'HILUM', files[2] ?? '').code).toBe(0)
  })
})
