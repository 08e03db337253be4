import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PipelineUploads } from '../../src/flow/pipeline-uploads.ts'

describe('uploads of pipelines', () => {
  let dataDir: string

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-uploads-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  const uploads = (options: { mostBytes: number; minimumFree: number }) => new PipelineUploads({ dataDir, ...options })
  const left = () => readdirSync(dataDir, { recursive: true }).filter((name) => String(name) !== 'uploads')

  it('leave the space that instances need', async () => {
    const taken = uploads({ mostBytes: 1000, minimumFree: Number.MAX_SAFE_INTEGER }).take(
      Readable.from([Buffer.alloc(10)]),
      'model.onnx',
      'user:admin',
    )
    await expect(taken).rejects.toMatchObject({ code: 'no-space' })
    expect(left()).toEqual([])
  })

  it('end where they are too large, and leave nothing', async () => {
    const taken = uploads({ mostBytes: 1000, minimumFree: 0 }).take(
      Readable.from([Buffer.alloc(600), Buffer.alloc(600)]),
      'model.onnx',
      'user:admin',
    )
    await expect(taken).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('page.uploads') })
    expect(left()).toEqual([])
  })
})
