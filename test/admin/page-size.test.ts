import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { repository } from '../support/data.ts'

const built = path.join(repository, 'dist/admin/ui')

interface Chunk {
  file: string
  isEntry?: boolean
  imports?: string[]
}

/** The chunks that are loaded before anything is to be seen: the entry, and what it imports at once. */
function firstChunks(): Chunk[] {
  const manifest = JSON.parse(readFileSync(path.join(built, 'manifest.json'), 'utf8')) as Record<string, Chunk>
  const needed = new Set<Chunk>()
  const add = (chunk: Chunk | undefined) => {
    if (!chunk || needed.has(chunk)) return
    needed.add(chunk)
    for (const name of chunk.imports ?? []) add(manifest[name])
  }
  for (const chunk of Object.values(manifest)) if (chunk.isEntry) add(chunk)
  return [...needed]
}

test('the first paint takes less than 200 kB of compressed script', () => {
  const chunks = firstChunks()
  expect(chunks.length).toBeGreaterThan(0)
  const sizes = chunks.map(({ file }) => gzipSync(readFileSync(path.join(built, file))).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000)
})
