import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import type { QuarantinedObject } from '../../src/receive/received.ts'
import { stowRouter } from '../../src/receive/stow-rs.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { type ServedStore, serveStore } from '../view/served-store.ts'
import { type MultipartCase, multipartCase } from './multipart-cases.ts'

const seed = Number(process.env.HILUM_FUZZ_SEED ?? 20_261_121)
const cases = Number(process.env.HILUM_FUZZ_STOW_CASES ?? 1000)
const concurrency = 8
const deadlineMs = 30_000

interface Answer {
  status: number
  type: string
  body: DicomJson
}

describe('STOW-RS under fuzzed bodies', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const quarantined: QuarantinedObject[] = []
  let store: ServedStore

  beforeAll(async () => {
    store = await serveStore([], {
      storeInstances: ({ database, objects, dataDir }) => {
        const incoming = new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0 })
        const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
        return stowRouter({
          incoming,
          indexWriter: new IndexWriter({ indexer, log: silentLog }),
          onQuarantined: (object) => quarantined.push(object),
          log: silentLog,
          limits: { partBytes: 4 * 1024 * 1024 },
        })
      },
    })
  })
  afterAll(async () => {
    agent.destroy()
    await store.close()
  })

  const folder = (name: string) => readdirSync(path.join(store.dataDir, name))

  async function keptBytes(sopInstanceUID: string): Promise<Buffer | null> {
    const row = await store.database('instances').where({ sop_instance_uid: sopInstanceUID }).first('object_key')
    return row ? readFileSync(path.join(store.dataDir, 'objects', row.object_key as string)) : null
  }

  async function judge(stow: MultipartCase, answer: Answer): Promise<string[]> {
    const faults: string[] = []
    const acknowledged = uidsOf(answer.body, '00081199')
    if (![200, 202, 400, 406, 409, 413, 415].includes(answer.status)) faults.push(`HTTP ${answer.status}`)
    const isProblem = answer.type.includes('application/problem+json')
    if (isProblem !== ![200, 202, 409].includes(answer.status)) faults.push(`HTTP ${answer.status} as ${answer.type}`)
    for (const uid of acknowledged) {
      const kept = await keptBytes(uid)
      if (kept === null) faults.push(`${uid} was acknowledged and is not kept`)
      else if (stow.stored?.includes(uid) && !kept.equals(stow.files.get(uid) as Buffer))
        faults.push(`${uid} is kept with other bytes`)
    }
    if (stow.stored && acknowledged.toSorted().join() !== stow.stored.toSorted().join())
      faults.push(`${acknowledged.length} of ${stow.stored.length} instances were acknowledged`)
    return faults
  }

  it(`answers rightly, and leaves nothing behind: ${cases} cases of seed ${seed}`, { timeout: 600_000 }, async () => {
    const faults: string[] = []
    const counts: Record<string, number> = {}
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < cases) {
        const number = next++
        const stow = multipartCase(seed, number)
        const answer = await post(store.url, stow, agent)
        const what = answer === null ? 'no answer' : `${answer.status}`
        counts[`${stow.kind}: ${what}`] = (counts[`${stow.kind}: ${what}`] ?? 0) + 1
        const found = answer ? await judge(stow, answer) : stow.breaksOff ? [] : ['no answer']
        for (const fault of found) faults.push(`case ${number} (${stow.kind}): ${fault}`)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    const table = Object.entries(counts)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `  ${String(count).padStart(4)} ${name}`)
    console.log([`${cases} STOW-RS requests, seed ${seed}:`, ...table].join('\n'))
    expect(faults).toEqual([])
    // Requests whose clients have gone are cleared up when that is noticed.
    for (let tries = 0; tries < 200 && folder('incoming').length > 0; tries++) await sleep(50)
    expect(folder('incoming')).toEqual([])
    expect(folder('quarantine').toSorted()).toEqual(quarantined.map((object) => object.file).toSorted())
    expect(quarantined.filter((object) => object.reason.includes('SECRET'))).toEqual([])
  })
})

const uidsOf = (body: DicomJson, tag: string): string[] =>
  ((body[tag]?.Value ?? []) as DicomJson[]).map((item) => String(item['00081155']?.Value?.[0]))

/** Null where the connection ended without an answer, or none came in time. */
function post(url: string, stow: MultipartCase, agent: Agent): Promise<Answer | null> {
  return new Promise((resolve) => {
    const sending = httpRequest(`${url}/dicomweb/studies`, {
      method: 'POST',
      headers: { 'content-type': stow.contentType, accept: 'application/dicom+json' },
      timeout: deadlineMs,
      ...(stow.breaksOff ? {} : { agent }),
    })
    sending.on('timeout', () => sending.destroy())
    sending.on('error', () => resolve(null))
    sending.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => resolve(null))
      response.on('end', () => resolve(answerOf(response.statusCode, response.headers['content-type'], chunks)))
    })
    if (!stow.breaksOff) return void sending.end(stow.body)
    sending.write(stow.body, () => setTimeout(() => sending.destroy(), 5))
  })
}

function answerOf(status: number | undefined, type: string | undefined, chunks: Buffer[]): Answer {
  const text = Buffer.concat(chunks).toString()
  return { status: status ?? 0, type: type ?? '', body: text === '' ? {} : (JSON.parse(text) as DicomJson) }
}
