import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { boundaryOf, readMultipart } from '../../src/dicomweb/multipart.ts'
import { identity, pixels, type SampleElement, sampleFile, writeSample } from './sample-file.ts'
import { type ServedStore, serveStore } from './served-store.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-samples-'))
const files: string[] = []
const sent = new Map<string, Buffer>()
let store: ServedStore

function add(name: string, more: readonly SampleElement[], transferSyntaxUID = '1.2.840.10008.1.2.1'): string {
  const instance = `1.2.3.1.${files.length + 1}`
  const bytes = sampleFile(identity({ instance, number: files.length + 1, more }), { transferSyntaxUID })
  files.push(writeSample(folder, `${name}.dcm`, bytes))
  sent.set(instance, bytes)
  return `/dicomweb/studies/1.2.3/series/1.2.3.1/instances/${instance}`
}

const jpegLS = '1.2.840.10008.1.2.4.80'
const words = Buffer.from([0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08])
const swapped = Buffer.from(words).swap16()
const table = randomBytes(4000)
const large = randomBytes(24 * 1024 * 1024)
const document = Buffer.from('%PDF-1.4 '.padEnd(3000, 'x'))
// Five frames of 3 x 3 pixels, one bit each, packed without gaps (PS3.5 8.1.1).
const bits = '101010101 111111111 000000001 110000000 011111110'.replaceAll(' ', '')
const packed = Buffer.alloc(6)
for (const [i, bit] of Array.from(bits).entries()) packed[i >> 3] = (packed[i >> 3] ?? 0) | (Number(bit) << (i & 7))
const fragments = [Buffer.from('first fragment.. '.slice(0, 16)), Buffer.from('second.!')]

const native = add('native', [...pixels(2, 1, 16, 2), ['7FE00010', 'OW', words]])
const bigEndian = add(
  'big',
  [...pixels(2, 1, 16, 2), ['00281201', 'OW', table], ['7FE00010', 'OW', swapped]],
  '1.2.840.10008.1.2.2',
)
const deflated = add(
  'deflated',
  [...pixels(2, 1, 16, 2), ['00281201', 'OW', table], ['7FE00010', 'OW', words]],
  '1.2.840.10008.1.2.1.99',
)
const segmentation = add('bits', [...pixels(3, 3, 1, 5), ['7FE00010', 'OB', packed]])
const compressed = add('compressed', [...pixels(4, 4, 16, 1), ['7FE00010', 'OB', fragments]], jpegLS)
const big = add('large', [...pixels(2048, 2048, 16, 3), ['7FE00010', 'OW', large]])
const report = add('report', [
  ['00420011', 'OB', document],
  ['00420012', 'LO', 'application/pdf'],
])

beforeAll(async () => {
  store = await serveStore(files)
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

interface Part {
  type: string
  content: Buffer
}

async function get(where: string, accept?: string, more: Record<string, string> = {}) {
  return await store.fetch(where, { headers: { ...(accept !== undefined && { accept }), ...more } })
}

async function parts(where: string, accept: string): Promise<Part[]> {
  const response = await get(where, accept)
  expect(response.status, where).toBe(200)
  const body = Buffer.from(await response.arrayBuffer())
  expect(response.headers.get('content-length')).toBe(String(body.length))
  const found: Part[] = []
  for await (const part of readMultipart(
    Readable.from([body]),
    boundaryOf(response.headers.get('content-type') ?? ''),
  )) {
    const chunks: Buffer[] = []
    for await (const chunk of part.body) chunks.push(chunk)
    found.push({ type: part.headers.get('content-type') ?? '', content: Buffer.concat(chunks) })
  }
  return found
}

/** Not by fetch, which adds `Cache-Control: no-cache` to conditional requests. */
async function statusOf(where: string, headers: Record<string, string>): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const asked = request(store.url + where, { headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    asked.on('error', reject)
    asked.end()
  })
}

const octets = 'multipart/related; type=application/octet-stream; transfer-syntax=*'
const dicom = 'multipart/related; type="application/dicom"'
const instanceOf = (where: string) => where.split('/').at(-1) as string

describe('WADO-RS instances', () => {
  it('gives the stored bytes as they are, one part an instance', async () => {
    for (const where of ['/dicomweb/studies/1.2.3', '/dicomweb/studies/1.2.3/series/1.2.3.1']) {
      const found = await parts(where, dicom)
      expect(found.map((part) => part.content.equals([...sent.values()][found.indexOf(part)] as Buffer))).toEqual(
        files.map(() => true),
      )
    }
    const [one] = await parts(compressed, `${dicom}; transfer-syntax=*`)
    expect(one).toEqual({
      type: `application/dicom; transfer-syntax=${jpegLS}`,
      content: sent.get(instanceOf(compressed)),
    })
  })

  it('gives one instance without multipart to who asks so, also by the accept parameter', async () => {
    for (const response of [await get(native, 'application/dicom'), await get(`${native}?accept=application/dicom`)]) {
      expect(response.headers.get('content-type')).toContain('application/dicom')
      expect(Buffer.from(await response.arrayBuffer()).equals(sent.get(instanceOf(native)) as Buffer)).toBe(true)
    }
  })

  it('lets caches ask whether the object has changed', async () => {
    const first = await get(native, dicom)
    await first.arrayBuffer()
    const etag = first.headers.get('etag') as string
    expect(first.headers.get('cache-control')).toContain('private')
    expect(await statusOf(native, { accept: dicom, 'if-none-match': etag })).toBe(304)
    expect(await statusOf(native, { accept: 'application/dicom', 'if-none-match': etag })).toBe(200)
  })

  it.each([
    ['a transfer syntax that it does not have', compressed, `${dicom}; transfer-syntax=1.2.840.10008.1.2.1`, 406],
    ['a study without multipart', '/dicomweb/studies/1.2.3', 'application/dicom', 406],
    ['a JPEG', native, 'image/jpeg', 406],
    ['another study', '/dicomweb/studies/1.2.4', dicom, 404],
    ['an instance under another series', '/dicomweb/studies/1.2.3/series/1.2.9/instances/1.2.3.1.1', dicom, 404],
    ['a path in place of a UID', '/dicomweb/studies/..%2F..%2Fetc', dicom, 400],
    ['a rendered image', `${native}/rendered`, 'image/jpeg', 404],
    ['a thumbnail', '/dicomweb/studies/1.2.3/thumbnail', 'image/jpeg', 404],
  ])('answers a problem when asked for %s', async (_what, where, accept, status) => {
    const response = await get(where, accept)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await response.json()).toMatchObject({ status, type: 'about:blank' })
  })

  it('answers 404 when the file of an indexed instance is gone', async () => {
    await store
      .database('instances')
      .where('sop_instance_uid', instanceOf(report))
      .update({ object_key: 'ff/ff/gone.dcm' })
    const response = await get(report, 'application/dicom')
    const { object_key } = { object_key: `00/00/${(files.length - 1).toString(16).padStart(8, '0')}.dcm` }
    await store.database('instances').where('sop_instance_uid', instanceOf(report)).update({ object_key })
    expect(response.status).toBe(404)
  })

  it('closes its descriptors when the client goes in the middle', async () => {
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    for (let i = 0; i < 10; i++) {
      await new Promise<void>((resolve, reject) => {
        const aborted = request(
          `${store.url}${big}${i % 2 ? '/frames/1,2,3' : ''}`,
          { headers: { accept: '*/*' } },
          (response) => {
            response.once('data', () => {
              aborted.destroy()
              resolve()
            })
            response.on('error', () => {})
          },
        )
        aborted.on('error', reject)
        aborted.end()
      })
    }
    for (let i = 0; i < 100 && open() > before; i++) await sleep(20)
    expect(open()).toBeLessThanOrEqual(before)
  })
})

describe('WADO-RS frames', () => {
  const little = 'application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1'

  it.each([
    ['little endian', native],
    ['big endian', bigEndian],
    ['deflated', deflated],
  ])('gives frames stored as %s in explicit VR little endian, in the order asked for', async (_what, where) => {
    expect(await parts(`${where}/frames/2,1`, octets)).toEqual([
      { type: little, content: words.subarray(4) },
      { type: little, content: words.subarray(0, 4) },
    ])
    expect(await parts(`${where}/bulkdata/7FE00010`, octets)).toEqual([{ type: little, content: words }])
  })

  it('shifts frames of single bits to the beginning of a byte', async () => {
    const found = await parts(`${segmentation}/frames/1,2,3,4,5`, octets)
    const text = found.map(({ content }) =>
      [...content].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> i) & 1)).join(''),
    )
    expect(text).toEqual(Array.from({ length: 5 }, (_, frame) => bits.slice(frame * 9, frame * 9 + 9).padEnd(16, '0')))
  })

  it('gives compressed frames as stored, fragments joined, under the codec’s own media type when asked', async () => {
    const content = Buffer.concat(fragments)
    expect(await parts(`${compressed}/frames/1`, octets)).toEqual([
      { type: `application/octet-stream; transfer-syntax=${jpegLS}`, content },
    ])
    for (const type of ['image/jls', 'image/x-jls', 'image/*']) {
      const [frame] = await parts(`${compressed}/frames/1`, `multipart/related; type="${type}"`)
      expect(frame?.type).toMatch(new RegExp(`^image/(x-)?jls; transfer-syntax=${jpegLS}$`))
      expect(frame?.content).toEqual(content)
    }
    const bare = await get(`${compressed}/frames/1`, 'image/jls')
    expect(Buffer.from(await bare.arrayBuffer())).toEqual(content)
    expect(await parts(`${compressed}/bulkdata/7FE00010`, octets)).toHaveLength(1)
  })

  it.each([
    ['/frames/3', octets, 404],
    ['/frames/0', octets, 400],
    ['/frames/1,,2', octets, 400],
    ['/frames/x', octets, 400],
    ['/frames/1', 'multipart/related; type="image/jls"', 406],
    ['/frames/1', octets.replace('*', jpegLS), 406],
    ['/frames/1,2', 'application/octet-stream', 406],
  ])('refuses %s with Accept %s', async (where, accept, status) => {
    expect((await get(native + where, accept)).status).toBe(status)
  })

  it('answers 404 where there are no frames', async () => {
    expect((await get(`${report}/frames/1`, octets)).status).toBe(404)
  })
})

describe('WADO-RS metadata and bulk data', () => {
  it('gives every attribute of the header, text decoded, pixel data by URI', async () => {
    const response = await get('/dicomweb/studies/1.2.3/series/1.2.3.1/metadata', 'application/dicom+json')
    expect(response.headers.get('content-type')).toContain('application/dicom+json')
    const all = (await response.json()) as DicomJson[]
    expect(all).toHaveLength(files.length)
    expect(all[0]).toMatchObject({
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00083002': { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jürgen' }] },
      '00280010': { vr: 'US', Value: [2] },
      '7FE00010': { vr: 'OW', BulkDataURI: `${store.url}${native}/bulkdata/7FE00010` },
    })
    expect(Object.keys(all[0] ?? {})).toEqual(Object.keys(all[0] ?? {}).sort())
    const one = (await (await get(`${native}/metadata`, 'application/json')).json()) as DicomJson[]
    expect(one).toEqual([all[0]])
    expect(await (await get('/dicomweb/studies/1.2.3/metadata')).json()).toEqual(all)
  })

  it.each([
    ['big endian', bigEndian, Buffer.from(table).swap16()],
    ['deflated', deflated, table],
  ])(
    'gives long binary values of a %s object by the URI in its metadata, little endian',
    async (_what, where, expected) => {
      const [metadata] = (await (await get(`${where}/metadata`)).json()) as DicomJson[]
      const uri = metadata?.['00281201']?.BulkDataURI as string
      expect(uri.startsWith(`${store.url}${where}/bulkdata/`)).toBe(true)
      const bare = await fetch(uri, { headers: { accept: 'application/octet-stream' } })
      expect(Buffer.from(await bare.arrayBuffer())).toEqual(expected)
      const [part] = await parts(uri.slice(store.url.length), 'multipart/related; type="application/octet-stream"')
      expect(part?.content).toEqual(expected)
    },
  )

  it('gives an encapsulated document under its own type', async () => {
    const [metadata] = (await (await get(`${report}/metadata`)).json()) as DicomJson[]
    const uri = metadata?.['00420011']?.BulkDataURI as string
    const response = await fetch(uri)
    expect(response.headers.get('content-type')).toBe('application/pdf')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(document)
  })

  it('gives no bytes but those that the header names', async () => {
    for (const place of ['0,100', '132,50', 'x', '..%2F..']) {
      expect((await get(`${bigEndian}/bulkdata/${place}`)).status).toBe(404)
    }
  })
})
