import { readdirSync, readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import type { QuarantinedObject } from '../../src/receive/received.ts'
import { type Pace, paced } from '../../src/receive/stow-pace.ts'
import { type StoreLimits, stowRouter } from '../../src/receive/stow-rs.ts'
import { IncomingError, IncomingFolder } from '../../src/store/incoming.ts'
import { identity, pixels, sampleFile } from '../view/sample-file.ts'
import { type ServedStore, serveStore } from '../view/served-store.ts'

let store: ServedStore
let quarantined: QuarantinedObject[]
/** Whether the disk is full when so many files have been begun. */
let full: (begun: number) => boolean

beforeEach(() => start({ partBytes: 4 * 1024 * 1024 }))

async function start(limits: Partial<StoreLimits>, pace: Partial<Pace> = {}): Promise<void> {
  quarantined = []
  full = () => false
  let begun = 0
  store = await serveStore([], {
    storeInstances: ({ database, objects, dataDir }) => {
      const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
      const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
      return stowRouter({
        incoming: {
          begin: (meta) => incoming.begin(meta),
          beginRaw() {
            if (full(++begun)) throw new IncomingError('out-of-space', 'nothing is free', { retry: 'transient' })
            return incoming.beginRaw()
          },
        },
        indexWriter: new IndexWriter({ indexer, log: silentLog }),
        onQuarantined: (object) => quarantined.push(object),
        log: silentLog,
        limits,
        pace,
      })
    },
  })
}

afterEach(async () => {
  await store.close()
})

const dicomParts = 'multipart/related; type="application/dicom"; boundary=b'

function message(parts: readonly (Buffer | { type: string; content: Buffer })[]): Buffer {
  const chunks = parts.flatMap((part) => {
    const { type, content } = Buffer.isBuffer(part) ? { type: 'application/dicom', content: part } : part
    return [Buffer.from(`\r\n--b\r\nContent-Type: ${type}\r\n\r\n`), content]
  })
  return Buffer.concat([...chunks, Buffer.from('\r\n--b--')])
}

async function post(body: Buffer, { where = '/studies', type = dicomParts, ...headers }: Record<string, string> = {}) {
  const response = await store.fetch(`/dicomweb${where}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: new Uint8Array(body),
  })
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: JSON.parse(text) as DicomJson,
  }
}

/** What the server answers to bytes, until it closes the connection or has answered. */
async function raw(pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(Number(new URL(store.url).port), '127.0.0.1')
  for (const piece of pieces) socket.write(piece)
  let answer = ''
  for await (const chunk of socket) {
    answer += String(chunk)
    if (answer.includes('\r\n\r\n')) break
  }
  socket.destroy()
  return answer
}

const file = (instance: string, options: Partial<Parameters<typeof identity>[0]> = {}) =>
  sampleFile(identity({ instance, more: [...pixels(2, 2, 16, 1), ['7FE00010', 'OW', Buffer.alloc(8)]], ...options }))

const folder = (name: string) => readdirSync(path.join(store.dataDir, name))
const itemsOf = (body: DicomJson, tag: string) => (body[tag]?.Value ?? []) as DicomJson[]
const uidsOf = (body: DicomJson, tag: string) => itemsOf(body, tag).map((item) => item['00081155']?.Value?.[0])
const reasonsOf = (body: DicomJson, tag: string) => itemsOf(body, tag).map((item) => item['00081197']?.Value?.[0])

describe('STOW-RS', () => {
  it('keeps instances byte for byte, indexed before it answers 200 with where they are', async () => {
    const sent = [file('1.2.3.1.1'), file('1.2.3.1.2')]
    const { status, type, body } = await post(message(sent))
    expect(status).toBe(200)
    expect(type).toContain('application/dicom+json')
    const base = `${store.url}/dicomweb/studies/1.2.3`
    expect(body['00081190']?.Value).toEqual([base])
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.1', '1.2.3.1.2'])
    expect(itemsOf(body, '00081199')[0]?.['00081190']?.Value).toEqual([`${base}/series/1.2.3.1/instances/1.2.3.1.1`])
    const found = (await (await store.fetch('/dicomweb/studies')).json()) as DicomJson[]
    expect(found[0]?.['00201208']?.Value).toEqual([2])
    const back = await fetch(`${base}/series/1.2.3.1/instances/1.2.3.1.2`, { headers: { accept: 'application/dicom' } })
    expect(Buffer.from(await back.arrayBuffer()).equals(sent[1] as Buffer)).toBe(true)
    const arrival = await store.database('arrivals').first()
    expect(arrival).toMatchObject({ via: 'stow-rs', instances: 2 })
    expect(arrival.sender).toMatch(/^STOW-RS@/)
    expect(folder('incoming')).toEqual([])
  })

  it('takes one instance without multipart', async () => {
    const { status, body } = await post(file('1.2.3.1.1'), { type: 'application/dicom' })
    expect(status).toBe(200)
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.1'])
  })

  it('keeps what it can: 202 with the reason of each that it cannot, whose bytes go to quarantine', async () => {
    const good = file('1.2.3.1.1')
    const cut = file('1.2.3.1.2').subarray(0, -4)
    const unnamed = sampleFile(identity({ instance: '1.2.3.1.3', more: [['0020000D', 'UI', '']] }))
    const noise = Buffer.from('this is not DICOM')
    const { status, body } = await post(
      message([good, cut, unnamed, noise, { type: 'text/plain', content: file('1.2.3.1.4') }]),
    )
    expect(status).toBe(202)
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.1'])
    expect(uidsOf(body, '00081198')).toEqual(['1.2.3.1.2', '1.2.3.1.3', '1.2.3.1.4'])
    expect(reasonsOf(body, '00081198')).toEqual([0xc000, 0xc000, 0xc000])
    expect(reasonsOf(body, '0008119A')).toEqual([0xc000])
    expect(quarantined.map((object) => object.code)).toEqual([
      'truncated-data-set',
      'missing-uid',
      'not-part10',
      'not-part10',
    ])
    expect(folder('quarantine').sort()).toEqual(quarantined.map((object) => object.file).sort())
    expect(readFileSync(path.join(store.dataDir, 'quarantine', quarantined[0]?.file ?? '')).equals(cut)).toBe(true)
    expect(folder('incoming')).toEqual([])
  })

  it('refuses an instance of another study than the URL names with 0xA900, and answers 409 when none is kept', async () => {
    const { status, body } = await post(message([file('1.2.3.1.1')]), { where: '/studies/1.2.4' })
    expect(status).toBe(409)
    expect(reasonsOf(body, '00081198')).toEqual([0xa900])
    expect((await post(message([file('1.2.3.1.1')]), { where: '/studies/1.2.3' })).status).toBe(200)
  })

  it('refuses what is no storage SOP class with 0x0122', async () => {
    const verification = file('1.2.3.1.1', { more: [['00080016', 'UI', '1.2.840.10008.1.1']] })
    expect(reasonsOf((await post(message([verification]))).body, '00081198')).toEqual([0x0122])
  })

  it('accepts the same instance again without a second copy', async () => {
    await post(message([file('1.2.3.1.1')]))
    expect((await post(message([file('1.2.3.1.1'), file('1.2.3.1.1')]))).status).toBe(200)
    expect(await store.database('instances').count({ n: '*' })).toEqual([{ n: 1 }])
    expect(folder('incoming')).toEqual([])
  })

  it.each([
    ['another type', {}, 'application/json', 415],
    ['metadata in XML', {}, 'multipart/related; type="application/dicom+xml"; boundary=b', 415],
    ['no boundary', {}, 'multipart/related; type="application/dicom"', 400],
    ['another boundary', {}, 'multipart/related; type="application/dicom"; boundary=c', 400],
    ['a content encoding', { 'content-encoding': 'br' }, dicomParts, 415],
    ['an answer in XML asked for', { accept: 'application/dicom+xml' }, dicomParts, 406],
    ['a bad study in the URL', { where: '/studies/abc' }, dicomParts, 400],
  ])('answers a problem to a request with %s', async (_what, headers, type, status) => {
    const answer = await post(message([file('1.2.3.1.1')]), { type, ...headers })
    expect(answer.status).toBe(status)
    expect(answer.type).toContain('application/problem+json')
    expect(folder('incoming')).toEqual([])
  })

  it('answers 400 to a body that breaks off, and indexes what came before', async () => {
    const whole = message([file('1.2.3.1.1'), file('1.2.3.1.2')])
    const { status, body } = await post(whole.subarray(0, -100))
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'malformed-multipart' })
    expect(await store.database('instances').pluck('sop_instance_uid')).toEqual(['1.2.3.1.1'])
    expect(folder('incoming')).toEqual([])
    expect((await post(Buffer.from('--b--'))).status).toBe(400)
  })

  it('answers 507 when the disk is full', async () => {
    full = () => true
    const { status, body } = await post(message([file('1.2.3.1.1')]))
    expect(status).toBe(507)
    expect(body).toMatchObject({ code: 'out-of-space' })
  })

  it('says which instances found no space, and that others are stored', async () => {
    // The disk fills up behind the first.
    full = (begun) => begun > 1
    const { status, body } = await post(message([file('1.2.3.1.1'), file('1.2.3.1.2')]), { where: '/studies/1.2.3' })
    expect(status).toBe(202)
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.1'])
    expect([uidsOf(body, '00081198'), reasonsOf(body, '00081198')]).toEqual([['1.2.3.1.2'], [0xa700]])
  })

  it('takes files without preamble or meta information, and gives them what they lack', async () => {
    const whole = file('1.2.3.1.1')
    const { dataSetOffset } = parseFileMeta(whole)
    const implicit = encodeDataSet(
      {
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
        SOPInstanceUID: '1.2.3.1.3',
        StudyInstanceUID: '1.2.3',
        SeriesInstanceUID: '1.2.3.1',
      },
      '1.2.840.10008.1.2',
    )
    const { status, body } = await post(
      message([whole.subarray(132), file('1.2.3.1.2').subarray(dataSetOffset), implicit]),
    )
    expect(status).toBe(200)
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.1', '1.2.3.1.2', '1.2.3.1.3'])
    const back = async (uid: string) =>
      Buffer.from(
        await (
          await store.fetch(`/dicomweb/studies/1.2.3/series/1.2.3.1/instances/${uid}`, {
            headers: { accept: 'application/dicom; transfer-syntax=*' },
          })
        ).arrayBuffer(),
      )
    expect((await back('1.2.3.1.1')).equals(whole)).toBe(true)
    const bare = await back('1.2.3.1.2')
    expect(parseFileMeta(bare)).toMatchObject({
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      mediaStorageSOPInstanceUID: '1.2.3.1.2',
    })
    expect(bare.subarray(parseFileMeta(bare).dataSetOffset).equals(file('1.2.3.1.2').subarray(dataSetOffset))).toBe(
      true,
    )
    expect(parseFileMeta(await back('1.2.3.1.3')).transferSyntaxUID).toBe('1.2.840.10008.1.2')
  })

  it('puts aside a compressed data set whose transfer syntax nothing names', async () => {
    const compressed = file('1.2.3.1.1', {
      more: [...pixels(2, 2, 16, 1), ['7FE00010', 'OB', [Buffer.alloc(0), Buffer.from([1, 2])]]],
    })
    const { status } = await post(message([compressed.subarray(parseFileMeta(compressed).dataSetOffset)]))
    expect(status).toBe(409)
    expect(quarantined.map(({ code }) => code)).toEqual(['unknown-transfer-syntax'])
  })

  it('warns where the meta information speaks of another instance: 202 with 0xB007', async () => {
    const other = sampleFile(identity({ instance: '1.2.3.1.1' }), { sopInstanceUID: '1.2.3.1.77' })
    const { status, body } = await post(message([other]))
    expect(status).toBe(202)
    expect(itemsOf(body, '00081199')[0]?.['00081196']?.Value).toEqual([0xb007])
  })

  it('answers 411 to a request without a length, and 408 to one that stalls, with nothing left behind', async () => {
    const answer = await raw([`POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Type: ${dicomParts}\r\n\r\n`])
    expect(answer).toMatch(/^HTTP\/1\.1 411 /)
    await store.close()
    await start({}, { idleMs: 50 })
    const head = `POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\nContent-Type: ${dicomParts}\r\n\r\n`
    expect(await raw([head, message([file('1.2.3.1.1'), file('1.2.3.1.2')]).subarray(0, -60)])).toMatch(
      /^HTTP\/1\.1 408 /,
    )
    expect(await store.database('instances').pluck('sop_instance_uid')).toEqual(['1.2.3.1.1'])
    expect(folder('incoming')).toEqual([])
  })

  it('gives a sender up that trickles, and leaves one alone that is only slow', async () => {
    async function* every(ms: number, length: number, times: number) {
      for (let i = 0; i < times; i++) {
        await sleep(ms)
        yield Buffer.alloc(length)
      }
    }
    const read = async (source: AsyncIterable<Buffer>) => {
      let bytes = 0
      for await (const chunk of paced(source, { idleMs: 1000, slowMs: 60, slowBytes: 100 })) bytes += chunk.length
      return bytes
    }
    await expect(read(every(10, 1, 1000))).rejects.toMatchObject({ code: 'timed-out' })
    expect(await read(every(20, 60, 10))).toBe(600)
  })

  it('bounds the size of a part, and goes on with the next', async () => {
    const huge = file('1.2.3.1.1', { more: [['7FE00010', 'OW', Buffer.alloc(5 * 1024 * 1024)]] })
    const { status, body } = await post(message([huge, file('1.2.3.1.2')]))
    expect(status).toBe(202)
    expect(reasonsOf(body, '00081198').concat(reasonsOf(body, '0008119A'))).toEqual([0xa700])
    expect(uidsOf(body, '00081199')).toEqual(['1.2.3.1.2'])
    expect(folder('incoming')).toEqual([])
  })

  it('leaves nothing behind when the client goes in the middle of a part', async () => {
    await new Promise<void>((resolve) => {
      const sending = httpRequest(`${store.url}/dicomweb/studies`, {
        method: 'POST',
        headers: { 'content-type': dicomParts },
      })
      sending.on('error', () => resolve())
      sending.write(message([file('1.2.3.1.1')]).subarray(0, -60))
      sending.write(Buffer.alloc(200_000))
      setTimeout(() => sending.destroy(), 100)
    })
    for (let i = 0; i < 100 && folder('incoming').length > 0; i++) await sleep(20)
    expect(folder('incoming')).toEqual([])
    expect(folder('quarantine')).toEqual([])
  })
})

it('holds memory that does not depend on the size of an instance', async () => {
  // 200 MB through a process that may hold far less of it at once: measured by what external buffers grow to.
  await store.close()
  await start({})
  const head = sampleFile(identity({ instance: '1.2.3.1.9', more: pixels(100, 100, 8, 1) }))
  const pixelHead = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0, 0, 0, 0])
  const length = 200 * 1024 * 1024
  pixelHead.writeUInt32LE(length, 8)
  let peak = 0
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sending = httpRequest(
      `${store.url}/dicomweb/studies`,
      { method: 'POST', headers: { 'content-type': 'application/dicom' } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    sending.on('error', reject)
    sending.write(Buffer.concat([head, pixelHead]))
    const chunk = Buffer.alloc(256 * 1024)
    let sent = 0
    const more = () => {
      while (sent < length) {
        sent += chunk.length
        peak = Math.max(peak, process.memoryUsage().external)
        if (!sending.write(chunk)) return
      }
      sending.end()
    }
    sending.on('drain', more)
    more()
  })
  expect(status).toBe(200)
  expect(peak).toBeLessThan(120 * 1024 * 1024)
})
