import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { echo, sendInstances } from '../../src/dimse/send.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import { HilumError } from '../../src/errors.ts'
import { ctImage, explicitVR } from './crafted-peer.ts'
import { MemoryScp } from './memory-scp.ts'

let folder = ''
const running: MemoryScp[] = []
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-send-'))
})
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  running.push(scp)
  return scp
}

function write(name: string, dataSet: Buffer, meta: { sopClass?: string; transferSyntax?: string } = {}): string {
  const file = path.join(folder, name)
  const head = encodeFileMeta({
    mediaStorageSOPClassUID: meta.sopClass ?? ctImage,
    mediaStorageSOPInstanceUID: `1.2.3.${name.replace(/\D/g, '')}`,
    transferSyntaxUID: meta.transferSyntax ?? explicitVR,
  })
  writeFileSync(file, Buffer.concat([head, dataSet]))
  return file
}

const to = (port: number) => ({ host: '127.0.0.1', port, callingAETitle: 'TEST', calledAETitle: 'HILUM' })
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => (n * 7 + (n >> 8)) & 0xff))

describe('sending', () => {
  it.each([262144, 4096, 4097])('moves the bytes as they are, in PDUs of at most %i', async (maxPdu) => {
    const scp = await start({ maxPdu })
    const sizes = [0, 16, 2000, 4090, 4091, 100_000, 1_000_001]
    const files = sizes.map((size, n) => write(`${n + 1}.dcm`, bytes(size)))
    const seen: number[] = []
    const report = await sendInstances({ ...to(scp.port), files, onProgress: (_, { done }) => seen.push(done) })
    expect(report.files.map((file) => [file.path, file.status, file.reason])).toEqual(files.map((f) => [f, 0, null]))
    expect(report.stored).toBe(files.length)
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7])
    for (const [n, size] of sizes.entries()) expect(scp.stored[n]?.bytes.equals(bytes(size))).toBe(true)
    expect(scp.opened).toHaveLength(1)
    expect(scp.closed).toEqual(['released'])
  })

  it('proposes a context per class and syntax, and opens a second association beyond 128', async () => {
    const scp = await start()
    const files = Array.from({ length: 130 }, (_, n) =>
      write(`${n + 1}.dcm`, bytes(10), {
        sopClass: `1.2.392.1.${n + 1}`,
        transferSyntax: n === 0 ? '1.2.840.10008.1.2.4.80' : explicitVR,
      }),
    )
    const report = await sendInstances({ ...to(scp.port), files })
    expect(report.stored).toBe(130)
    expect(scp.opened.map((association) => association.contexts.size)).toEqual([128, 2])
    expect(scp.stored[0]?.request.context.transferSyntax).toBe('1.2.840.10008.1.2.4.80')
  })

  it('says for each file what became of it, and sends the others', async () => {
    const scp = await start()
    scp.beforeStore = (request) => {
      if (request.sopInstanceUID === '1.2.3.2') throw new HilumError('out-of-space', 'full')
    }
    const text = path.join(folder, 'text.txt')
    writeFileSync(text, 'no DICOM file')
    const files = [
      write('1.dcm', bytes(50)),
      write('2.dcm', bytes(500_000)),
      text,
      path.join(folder, 'missing.dcm'),
      write('5.dcm', bytes(50), { sopClass: '1.2.840.10008.1.20.1' }),
      write('6.dcm', bytes(50)),
    ]
    const report = await sendInstances({ ...to(scp.port), files })
    expect(report.files.map((file) => [file.status, file.retry])).toEqual([
      [0, null],
      [0xa700, 'transient'],
      [null, 'permanent'],
      [null, 'permanent'],
      [null, 'permanent'],
      [0, null],
    ])
    expect(report.files[1]?.reason).toBe('Out of resources (0xA700): full')
    expect(report.files[4]?.reason).toContain('abstract syntax not supported')
  })

  it('says why when nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    const report = await sendInstances({ ...to(port), files: [write('1.dcm', bytes(10))] })
    expect(report.files[0]).toMatchObject({ status: null, retry: 'transient' })
    expect(report.files[0]?.reason).toContain('cannot be reached: ECONNREFUSED')
  })

  it('says which title was rejected', async () => {
    const scp = await start()
    const report = await sendInstances({ ...to(scp.port), calledAETitle: 'OTHER', files: [write('1.dcm', bytes(10))] })
    expect(report.files[0]).toMatchObject({ status: null, retry: 'permanent' })
    expect(report.files[0]?.reason).toContain('called AE title not recognized')
  })

  it('calls the file on its way ambiguous when the peer dies, and the rest transient', async () => {
    const scp = await start()
    scp.beforeSuccess = () => scp.server.close()
    const files = [write('1.dcm', bytes(10)), write('2.dcm', bytes(10))]
    const report = await sendInstances({ ...to(scp.port), files })
    expect(report.files[1]).toMatchObject({ status: null, retry: 'transient' })
    expect(report.files[0]?.status === 0 || report.files[0]?.retry === 'ambiguous').toBe(true)
  })

  it('stops when it is cancelled', async () => {
    const scp = await start()
    const abort = new AbortController()
    const files = Array.from({ length: 5 }, (_, n) => write(`${n + 1}.dcm`, bytes(10)))
    const report = await sendInstances({
      ...to(scp.port),
      files,
      signal: abort.signal,
      onProgress: (_, { done }) => done === 2 && abort.abort(),
    })
    expect(report.stored).toBe(2)
    expect(report.files.map((file) => file.status)).toEqual([0, 0, null, null, null])
  })

  it('gives up on a peer that never answers', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()))
    const { port } = silent.address() as { port: number }
    const report = await sendInstances({ ...to(port), timeoutMs: 50, files: [write('1.dcm', bytes(10))] })
    expect(report.files[0]?.reason).toContain('did not answer in time')
    silent.close()
  })
})

describe('echo', () => {
  it('says that the peer answers', async () => {
    const scp = await start()
    expect(await echo(to(scp.port))).toMatchObject({ status: 0 })
  })

  it('throws what the peer rejects', async () => {
    const scp = await start()
    await expect(echo({ ...to(scp.port), calledAETitle: 'OTHER' })).rejects.toMatchObject({
      code: 'association-rejected',
      retry: 'permanent',
    })
  })
})
