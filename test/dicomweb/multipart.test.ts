import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundaryOf, readMultipart, writeMultipart } from '../../src/dicomweb/multipart.ts'

interface Gathered {
  headers: Record<string, string>
  content: Buffer
}

async function gather(message: Buffer, boundary: string, chunkBytes: number): Promise<Gathered[]> {
  async function* source() {
    for (let i = 0; i < message.length; i += chunkBytes) yield message.subarray(i, i + chunkBytes)
  }
  const parts: Gathered[] = []
  for await (const part of readMultipart(source(), boundary)) {
    const chunks: Buffer[] = []
    for await (const chunk of part.body) chunks.push(chunk)
    parts.push({ headers: Object.fromEntries(part.headers), content: Buffer.concat(chunks) })
  }
  return parts
}

const latin = (text: string) => Buffer.from(text, 'latin1')

describe('multipart/related', () => {
  it('reads back what it writes, whatever the bytes and wherever the chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        async (contents, chunkBytes) => {
          const written = writeMultipart(
            'application/dicom',
            contents.map((content) => ({
              headers: { 'Content-Type': 'application/dicom' },
              length: content.length,
              bytes: async function* () {
                yield content
              },
            })),
          )
          const chunks: Uint8Array[] = []
          for await (const chunk of written.bytes()) chunks.push(chunk)
          const message = Buffer.concat(chunks)
          expect(message.length).toBe(written.length)
          const parts = await gather(message, boundaryOf(written.contentType), chunkBytes)
          expect(parts.map((part) => part.content.toString('hex'))).toEqual(
            contents.map((content) => Buffer.from(content).toString('hex')),
          )
          expect(parts[0]?.headers).toEqual({ 'content-type': 'application/dicom' })
        },
      ),
      { numRuns: 200 },
    )
  })

  it('does not take for a delimiter what only looks like one', async () => {
    const tricky = 'a\r\n--b\r\r\n--bx\r\n--\r\n--b -\r\n-\r\n--b\r'
    for (const chunkBytes of [1, 2, 3, 7, 1000]) {
      const parts = await gather(latin(`--b\r\nContent-Type: x/y\r\n\r\n${tricky}\r\n--b--`), 'b', chunkBytes)
      expect(parts.map((part) => part.content.toString('latin1'))).toEqual([tricky])
    }
  })

  it('accepts a preamble, padding behind the boundary, parts without headers or content, and an epilogue', async () => {
    const message = 'hello\r\n--b \t\r\n\r\none\r\n--b\r\nX-Y: 1\r\n folded\r\n\r\n\r\n--b\r\nA: b\r\n\r\n--b--\r\nbye'
    for (const chunkBytes of [1, 5, 1000]) {
      expect(await gather(latin(message), 'b', chunkBytes)).toEqual([
        { headers: {}, content: latin('one') },
        { headers: { 'x-y': '1 folded' }, content: latin('') },
        { headers: { a: 'b' }, content: latin('') },
      ])
    }
  })

  it('skips the rest of a part whose body was given up', async () => {
    async function* source() {
      yield latin(`\r\n--b\r\n\r\n${'x'.repeat(1000)}`)
      yield latin(`${'y'.repeat(1000)}\r\n--b\r\n\r\ntwo\r\n--b--`)
    }
    const seen: string[] = []
    for await (const part of readMultipart(source(), 'b')) {
      for await (const chunk of part.body) {
        seen.push(chunk.toString('latin1').slice(0, 3))
        break
      }
    }
    expect(seen).toEqual(['xxx', 'two'])
  })

  it.each([
    ['ends within a part', '--b\r\n\r\nabc'],
    ['ends within headers', '--b\r\nContent-Ty'],
    ['never shows the boundary', 'x'.repeat(100_000)],
    ['has endless headers', `--b\r\n${'A: b\r\n'.repeat(10_000)}\r\n\r\n--b--`],
    ['has a header without a name', '--b\r\nnonsense\r\n\r\n\r\n--b--'],
    ['is empty', ''],
  ])('refuses a body that %s', async (_what, message) => {
    await expect(gather(latin(message), 'b', 4096)).rejects.toMatchObject({ code: 'malformed-multipart' })
  })

  it('takes the boundary from the Content-Type, quoted or not, and refuses what is none', () => {
    expect(boundaryOf('multipart/related; type="application/dicom"; boundary="a b:c"')).toBe('a b:c')
    expect(boundaryOf('multipart/related;boundary=xyz;type=application/dicom')).toBe('xyz')
    expect(() => boundaryOf('multipart/related')).toThrow(/no boundary/)
    // Orthanc's are two UUIDs with a hyphen, and longer than RFC 2046 allows.
    expect(boundaryOf(`multipart/related; boundary=${'x'.repeat(73)}`)).toHaveLength(73)
    expect(() => boundaryOf(`multipart/related; boundary=${'x'.repeat(201)}`)).toThrow(/200/)
  })
})
