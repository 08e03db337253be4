import { readdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { type InstanceFile, locateFrames, readFrame, readInstanceFile } from '../../src/dicom/instance-file.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import { codestreamOf, frameSyntax } from '../../src/receive/stow-frames.ts'
import { dataSetTexts } from '../../src/receive/stow-json.ts'
import { stowRouter } from '../../src/receive/stow-rs.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { type ServedStore, serveStore } from '../view/served-store.ts'

let store: ServedStore

beforeEach(async () => {
  store = await serveStore([], {
    storeInstances: ({ database, objects, dataDir }) => {
      const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
      const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
      const limits = { metadataBytes: 100_000, dataSetBytes: 50_000, instances: 20, partBytes: 1_000_000 }
      const indexWriter = new IndexWriter({ indexer, log: silentLog })
      return stowRouter({ incoming, indexWriter, onQuarantined: () => {}, log: silentLog, limits })
    },
  })
})

afterEach(() => store.close())

interface Part {
  type: string
  location?: string
  content: Buffer | string
}

function body(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const chunks = parts.flatMap(({ type, location, content }) => [
    Buffer.from(`\r\n--b\r\nContent-Type: ${type}\r\n${location ? `Content-Location: ${location}\r\n` : ''}\r\n`),
    Buffer.from(content),
  ])
  return new Uint8Array(Buffer.concat([...chunks, Buffer.from('\r\n--b--\r\n')]))
}

async function post(parts: readonly Part[]): Promise<{ status: number; body: DicomJson & { detail?: string } }> {
  const response = await store.fetch('/dicomweb/studies', {
    method: 'POST',
    headers: { 'content-type': 'multipart/related; type="application/dicom+json"; boundary=b' },
    body: body(parts),
  })
  return { status: response.status, body: (await response.json()) as DicomJson & { detail?: string } }
}

const metadata = (...dataSets: DicomJson[]): Part => ({
  type: 'application/dicom+json',
  content: JSON.stringify(dataSets),
})

function dataSet(instance: string, more: DicomJson = {}): DicomJson {
  const of = (vr: string, ...Value: unknown[]) => ({ vr, Value })
  return {
    '00080005': of('CS', 'ISO_IR 192'),
    '00080016': of('UI', '1.2.840.10008.5.1.4.1.1.7'),
    '00080018': of('UI', instance),
    '00100010': of('PN', { Alphabetic: 'Müller^Änne' }),
    '0020000D': of('UI', '1.2.3'),
    '0020000E': of('UI', '1.2.3.1'),
    '00280002': of('US', 1),
    '00280010': of('US', 2),
    '00280011': of('US', 2),
    '00280100': of('US', 16),
    ...more,
  }
}

const pixels = (location: string, frames = 1): DicomJson => ({
  '00280008': { vr: 'IS', Value: [frames] },
  '7FE00010': { vr: 'OW', BulkDataURI: location },
})

const folder = (name: string) => readdirSync(path.join(store.dataDir, name))
const itemsOf = (answer: DicomJson, tag: string) => (answer[tag]?.Value ?? []) as DicomJson[]
const reasonsOf = (answer: DicomJson) => itemsOf(answer, '00081198').map((item) => item['00081197']?.Value?.[0])

async function stored(instance: string) {
  const row = await store.database('instances').where({ sop_instance_uid: instance }).first('object_key')
  return readInstanceFile(await store.objects.pathOf(row.object_key))
}

async function frameOf(file: InstanceFile, index: number): Promise<Buffer> {
  return Buffer.from(await readFrame(file, (await locateFrames(file))[index] ?? []))
}

/** The smallest streams whose headers tell what they are. */
const jpegBaseline = Buffer.from('ffd8ffc0000b080002000201011100ffda0008010100003f00aaaaaaffd9', 'hex')
const jpegLossless = Buffer.from('ffd8ffc3000b100002000201011100ffda00080101000100aaaaffd9', 'hex')

describe('STOW-RS with metadata and bulk data', () => {
  it('writes a file in explicit VR, with the pixel data copied from its part', async () => {
    const value = Buffer.from([1, 0, 2, 0, 3, 0, 4, 0])
    const { status, body: answer } = await post([
      metadata(dataSet('1.2.3.1.1', pixels('bulk/1'))),
      { type: 'application/octet-stream', location: 'bulk/1', content: value },
    ])
    expect(status).toBe(200)
    expect(itemsOf(answer, '00081199')).toHaveLength(1)
    const file = await stored('1.2.3.1.1')
    expect(file.transferSyntaxUID).toBe('1.2.840.10008.1.2.1')
    expect(file.elements['00100010']?.Value).toEqual([{ Alphabetic: 'Müller^Änne' }])
    expect((await frameOf(file, 0)).equals(value)).toBe(true)
    expect([folder('incoming'), folder('quarantine')]).toEqual([[], []])
  })

  it('takes bulk data of any element in any order, shared, in sequences and inline, whatever way its location is written', async () => {
    const sequence = { vr: 'SQ', Value: [{ '54001010': { vr: 'OW', BulkDataURI: 'wave' } }] }
    const first = dataSet('1.2.3.1.1', {
      '00281201': { vr: 'OW', BulkDataURI: 'lut' },
      '00420011': { vr: 'OB', InlineBinary: Buffer.from('abcd').toString('base64') },
      '54000100': sequence,
      ...pixels('p/1'),
    })
    const second = dataSet('1.2.3.1.2', { '00281201': { vr: 'OW', BulkDataURI: 'lut' } })
    const { status } = await post([
      metadata(first, second),
      { type: 'application/octet-stream', location: `${store.url}/dicomweb/studies/p/1`, content: Buffer.alloc(8, 7) },
      { type: 'application/octet-stream', location: 'nobody/wants/this', content: Buffer.alloc(100) },
      { type: 'application/octet-stream', location: 'wave', content: Buffer.from([9, 8, 7]) },
      { type: 'application/octet-stream', location: 'lut', content: Buffer.from([5, 6]) },
    ])
    expect(status).toBe(200)
    const { elements } = await stored('1.2.3.1.1')
    const binary = (value: DicomJson[string] | undefined) => Buffer.from(value?.InlineBinary ?? '', 'base64')
    expect(binary(elements['00281201'])).toEqual(Buffer.from([5, 6]))
    expect(binary(elements['00420011']).toString()).toBe('abcd')
    const [item] = (elements['54000100']?.Value ?? []) as DicomJson[]
    expect(binary(item?.['54001010'])).toEqual(Buffer.from([9, 8, 7, 0]))
    expect(binary((await stored('1.2.3.1.2')).elements['00281201'])).toEqual(Buffer.from([5, 6]))
    expect(folder('incoming')).toEqual([])
  })

  it('encapsulates compressed frames in the transfer syntax that they are in, a fragment each', async () => {
    const frames = [jpegBaseline, Buffer.concat([jpegBaseline, Buffer.from([0])])]
    const { status } = await post([
      metadata(dataSet('1.2.3.1.1', pixels('p', 2)), dataSet('1.2.3.1.2', pixels('q'))),
      { type: 'image/jpeg', location: 'p/frames/2', content: frames[1] as Buffer },
      { type: 'image/jpeg', location: 'p/frames/1', content: frames[0] as Buffer },
      { type: 'image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70', location: 'q', content: jpegLossless },
    ])
    expect(status).toBe(200)
    const file = await stored('1.2.3.1.1')
    expect(file.transferSyntaxUID).toBe('1.2.840.10008.1.2.4.50')
    for (const [index, frame] of frames.entries()) {
      const read = await frameOf(file, index)
      expect(read.subarray(0, frame.length).equals(frame)).toBe(true)
    }
    expect((await stored('1.2.3.1.2')).transferSyntaxUID).toBe('1.2.840.10008.1.2.4.70')
  })

  it('takes metadata alone where it refers to nothing', async () => {
    const response = await store.fetch('/dicomweb/studies', {
      method: 'POST',
      headers: { 'content-type': 'application/dicom+json' },
      body: JSON.stringify([dataSet('1.2.3.1.1')]),
    })
    expect(response.status).toBe(200)
  })

  it('stores what it can, and says what is wrong with each of the others', async () => {
    const { status, body: answer } = await post([
      metadata(
        dataSet('1.2.3.1.1'),
        dataSet('1.2.3.1.2', pixels('missing')),
        dataSet('1.2.3.1.3', pixels('wrong')),
        dataSet('1.2.3.1.4', pixels('video')),
        dataSet('1.2.3.1.5', { '0020000D': { vr: 'UI' } }),
        dataSet('1.2.3.1.6', { '00280010': { vr: 'US', Value: ['many'] } }),
        dataSet('1.2.3.1.7', pixels('short')),
      ),
      { type: 'image/jpeg', location: 'wrong', content: Buffer.from('no JPEG at all') },
      { type: 'video/mp4', location: 'video', content: Buffer.alloc(10) },
      { type: 'application/octet-stream', location: 'short', content: Buffer.alloc(7) },
    ])
    expect(status).toBe(202)
    const failed = itemsOf(answer, '00081198').map((item) => [
      item['00081155']?.Value?.[0],
      item['00081197']?.Value?.[0],
    ])
    expect(Object.fromEntries(failed)).toEqual({
      '1.2.3.1.2': 0xc000,
      '1.2.3.1.3': 0xc000,
      '1.2.3.1.4': 0xc122,
      '1.2.3.1.5': 0xc000,
      '1.2.3.1.6': 0xc000,
      '1.2.3.1.7': 0xc000,
    })
    expect(await store.database('instances').pluck('sop_instance_uid')).toEqual(['1.2.3.1.1'])
    expect(folder('incoming')).toEqual([])
  })

  it('answers 415 with the reason where nothing of the bulk data can be taken', async () => {
    const { status, body: answer } = await post([
      metadata(dataSet('1.2.3.1.1', pixels('v'))),
      { type: 'video/mpeg', location: 'v', content: Buffer.alloc(10) },
    ])
    expect(status).toBe(415)
    expect(answer.detail).toContain('video/mpeg')
  })

  it('warns with 0xB000 where text is written in another character set than the metadata names', async () => {
    const latin = dataSet('1.2.3.1.1', { '00080005': { vr: 'CS', Value: ['ISO_IR 100'] } })
    const { status, body: answer } = await post([metadata(latin)])
    expect(status).toBe(202)
    expect(itemsOf(answer, '00081199')[0]?.['00081196']?.Value).toEqual([0xb000])
    const { elements } = await stored('1.2.3.1.1')
    expect(elements['00080005']?.Value).toEqual(['ISO_IR 192'])
    expect(elements['00100010']?.Value).toEqual([{ Alphabetic: 'Müller^Änne' }])
  })

  it.each([
    ['no JSON', 'this is not JSON', 400],
    ['JSON that ends early', '[{"00080018": ', 400],
    ['a broken data set', '[{"00080018": }]', 400],
    ['too much metadata', `[${' '.repeat(110_000)}]`, 413],
    ['too large a data set', JSON.stringify([{ '00080018': { vr: 'LT', Value: ['x'.repeat(60_000)] } }]), 413],
    ['too many instances', JSON.stringify(Array.from({ length: 21 }, () => ({}))), 413],
  ])('answers a problem to %s', async (_what, content, status) => {
    expect((await post([{ type: 'application/dicom+json', content }])).status).toBe(status)
    expect(folder('incoming')).toEqual([])
  })

  it.each([
    ['a VR that is none', { '00080018': { vr: 'ABCD', Value: ['1.2'] } }],
    ['a keyword for a tag', { SOPInstanceUID: { vr: 'UI', Value: ['1.2'] } }],
    ['a command element', { '00000100': { vr: 'US', Value: [1] } }],
    ['a sequence of numbers', { '00081140': { vr: 'SQ', Value: [1] } }],
  ])('refuses a data set with %s', async (_what, more) => {
    const { status, body: answer } = await post([metadata({ ...dataSet('1.2.3.1.1'), ...(more as DicomJson) })])
    expect(status).toBe(409)
    expect(reasonsOf(answer).length + itemsOf(answer, '0008119A').length).toBe(1)
  })
})

describe('the texts of data sets', () => {
  it('are cut out of an array wherever the chunks end', async () => {
    const text = '\ufeff[ {"a":"}\\"{[","b":[{}]} ,{"c":{}}]\n'
    const bytes = Buffer.from(text)
    for (let length = 1; length <= bytes.length; length++) {
      async function* chunks() {
        for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
      }
      const texts: string[] = []
      for await (const one of dataSetTexts(chunks(), { metadataBytes: 1000, dataSetBytes: 100 }))
        texts.push(String(one))
      expect(texts).toEqual(['{"a":"}\\"{[","b":[{}]}', '{"c":{}}'])
    }
  })
})

describe('compressed frames', () => {
  it('are what their headers say, where nothing was said', () => {
    const possible = ['1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.51']
    expect(frameSyntax(possible, jpegBaseline)).toBe('1.2.840.10008.1.2.4.50')
    expect(frameSyntax(possible, jpegLossless)).toBe('1.2.840.10008.1.2.4.70')
    expect(frameSyntax(['1.2.840.10008.1.2.4.51'], jpegBaseline)).toBe('1.2.840.10008.1.2.4.51')
    expect(() => frameSyntax(['1.2.840.10008.1.2.4.70'], jpegBaseline)).toThrow('is not encoded as JPEG Lossless')
    const rle = Buffer.alloc(64)
    expect(() => frameSyntax(['1.2.840.10008.1.2.5'], rle)).toThrow('RLE')
    rle.writeUInt32LE(2, 0)
    rle.writeUInt32LE(64, 4)
    expect(frameSyntax(['1.2.840.10008.1.2.5'], rle)).toBe('1.2.840.10008.1.2.5')
  })

  it('of JPEG 2000 are taken out of the file around them', async () => {
    const box = (type: string, content: string) => {
      const head = Buffer.alloc(8)
      head.writeUInt32BE(8 + content.length)
      head.write(type, 4)
      return Buffer.concat([head, Buffer.from(content, 'latin1')])
    }
    const file = Buffer.concat([box('jP  ', '\r\n\x87\n'), box('ftyp', 'jp2 '), box('jp2c', 'CODESTREAM')])
    const read = (offset: number, length: number) => Promise.resolve(file.subarray(offset, offset + length))
    const { offset, length } = await codestreamOf(file.length, read)
    expect(file.toString('latin1', offset, offset + length)).toBe('CODESTREAM')
  })
})
