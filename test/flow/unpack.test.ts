import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { create, Header } from 'tar'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { archiveKind, unpack } from '../../src/flow/unpack.ts'

const megabyte = 2 ** 20
const limits = { bytes: megabyte, files: 10 }
let folder: string
let out: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-unpack-'))
  out = path.join(folder, 'out')
  mkdirSync(out)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A tar with one entry of zeros. */
function tarOf(entry: { name: string; type: 'File' | 'ContiguousFile' | 'Directory'; size: number }): Buffer {
  const header = Buffer.alloc(512)
  new Header({ path: entry.name, type: entry.type, size: entry.size, mode: 0o644 }).encode(header)
  return Buffer.concat([header, Buffer.alloc(Math.ceil(entry.size / 512) * 512 + 1024)])
}

async function unpackBytes(bytes: Buffer): Promise<void> {
  const file = path.join(folder, 'archive')
  writeFileSync(file, bytes)
  const kind = await archiveKind(file)
  if (kind === null) throw new Error('this is no archive')
  await unpack(file, kind, out, limits)
}

it.each([true, false])('takes the files out of a tar, and no links (gzip: %s)', async (gzip) => {
  const from = path.join(folder, 'from')
  mkdirSync(path.join(from, 'a', 'b'), { recursive: true })
  writeFileSync(path.join(from, 'a', 'b', 'model.onnx'), Buffer.alloc(200_000, 1))
  writeFileSync(path.join(from, 'a', 'pipeline.yaml'), 'name: x')
  symlinkSync('/etc/passwd', path.join(from, 'a', 'link'))
  const file = path.join(folder, 'archive')
  await create({ gzip, cwd: from, file }, ['a'])
  await unpack(file, 'tar', out, limits)
  expect(new Set(readdirSync(out, { recursive: true, encoding: 'utf8' }))).toEqual(
    new Set(['a', 'a/b', 'a/b/model.onnx', 'a/pipeline.yaml']),
  )
  expect(readFileSync(path.join(out, 'a/b/model.onnx')).equals(Buffer.alloc(200_000, 1))).toBe(true)
})

it('counts every byte that is inflated, also of what it leaves out', async () => {
  for (const type of ['File', 'ContiguousFile'] as const) {
    const bomb = gzipSync(tarOf({ name: 'a', type, size: 40 * megabyte }), { level: 9 })
    await expect(unpackBytes(bomb), type).rejects.toMatchObject({ code: 'too-large' })
  }
})

it('refuses a tar that is compressed twice, is cut off, or leads out of the folder', async () => {
  const tar = tarOf({ name: 'a', type: 'File', size: 1000 })
  await expect(unpackBytes(gzipSync(gzipSync(tar)))).rejects.toMatchObject({ code: 'bad-archive' })
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * at * 31) % 251))
  const cut = gzipSync(Buffer.concat([tar.subarray(0, 512), noise])).subarray(0, 300)
  await expect(unpackBytes(cut)).rejects.toMatchObject({ code: 'bad-archive' })
  const damaged = Buffer.concat([tar.subarray(0, 1536), Buffer.alloc(megabyte / 2, 'x')])
  for (const bytes of [damaged, gzipSync(damaged)])
    await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'bad-archive' })
  rmSync(path.join(out, 'a'), { force: true })
  const outside = tarOf({ name: '../a', type: 'File', size: 10 })
  await expect(unpackBytes(outside)).rejects.toMatchObject({ code: 'bad-archive' })
  expect(readdirSync(folder).sort()).toEqual(['archive', 'out'])
})

it('reads no directory of a zip that is larger than any pipeline needs', async () => {
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  const entries = Buffer.concat(Array.from({ length: 100_000 }, () => entry))
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(10, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(4, 16)
  const zip = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), entries, end])
  await expect(unpackBytes(zip)).rejects.toMatchObject({
    code: 'bad-archive',
    message: expect.stringContaining('large'),
  })
})
