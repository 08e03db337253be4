import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { api } from 'dicomweb-client'
import type { Dispatcher } from 'undici'
import { Agent, request } from 'undici'
import { numberOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { explanationIn, firstPart, limitedBody } from './client-body.ts'
import type { Part10Digest } from './client-digest.ts'
import { digestPart10 } from './client-digest.ts'
import { DicomwebClientError, errorOfStatus, errorOfTransport } from './client-error.ts'
import type { StoreOutcome } from './client-store-answer.ts'
import { readStoreAnswer } from './client-store-answer.ts'
import { UndiciRequest } from './client-xml-http-request.ts'
import type { OutgoingPart } from './multipart.ts'
import { writeMultipart } from './multipart.ts'

export type DicomwebAuth =
  | { kind: 'none' }
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'bearer'; token: string }

/** PEM texts, not file names. */
export interface TlsOptions {
  ca?: string
  cert?: string
  key?: string
  rejectUnauthorized?: boolean
}

export interface DicomwebServerOptions {
  /** The DICOMweb root, such as `https://pacs.example/dicom-web`. */
  url: string
  auth?: DicomwebAuth
  headers?: Record<string, string>
  tls?: TlsOptions
  /** How long one answer may take, in milliseconds, on top of what its bytes take at 128 KB/s. Default 60,000. */
  timeoutMs?: number
  /** Bytes of objects in one Store request; an object larger than this is streamed alone. Default 64 MiB. */
  batchBytes?: number
}

/** A Part 10 file to be stored. */
export interface StoreObject {
  path: string
  sopInstanceUID: string
}

/** How many times the time of one answer the retrieval of an object may take, whose size is the server's to know. */
const retrievalPatience = 30
const maximumSearchAnswer = 4 * 1024 * 1024

/**
 * A DICOMweb server (PS3.18), as far as results are delivered and proven. Every call has a deadline; no call follows redirects.
 * Small objects go by dicomweb-client, which holds whole bodies in memory; large ones and everything that is read back are streamed.
 */
export class DicomwebServer {
  readonly url: string
  readonly #headers: Record<string, string>
  readonly #timeoutMs: number
  readonly #batchBytes: number
  readonly #agent: Agent
  readonly #client: api.DICOMwebClient

  constructor(options: DicomwebServerOptions) {
    this.url = options.url.replace(/\/+$/, '')
    this.#timeoutMs = options.timeoutMs ?? 60_000
    this.#batchBytes = options.batchBytes ?? 64 * 1024 * 1024
    this.#headers = { ...lowerCaseNames(options.headers ?? {}), ...authorization(options.auth) }
    this.#agent = new Agent({
      connect: { timeout: Math.min(10_000, this.#timeoutMs), ...options.tls },
      connections: 4,
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
    })
    // Its own username and password are never sent; it prints to the console unless verbose is off.
    this.#client = new api.DICOMwebClient({
      url: this.url,
      headers: { ...this.#headers, accept: 'application/dicom+json' },
      verbose: false,
      singlepart: '',
    })
  }

  /**
   * Stores objects (STOW-RS, PS3.18 10.5) and says for each what became of it. Never rejects for what the server or the network does;
   * once the server cannot be reached, the remaining objects are not tried.
   */
  async store(objects: readonly StoreObject[]): Promise<StoreOutcome[]> {
    const outcomes: StoreOutcome[] = []
    let down: DicomwebClientError | null = null
    for (const { batch, bytes } of await this.#batches(objects)) {
      if (down) {
        outcomes.push(...failures(batch, 'transient', `not tried: ${down.message}`, null))
        continue
      }
      try {
        const { status, text } = await this.#storeBatch(batch, bytes)
        outcomes.push(...readBatch(batch, status, text))
      } catch (error) {
        const failed = errorOfTransport('STOW-RS', error)
        outcomes.push(...failures(batch, failed.retry, failed.message, null))
        down = failed
      }
    }
    return outcomes
  }

  /**
   * Looks for one instance (QIDO-RS, PS3.18 10.6).
   * @returns its attributes, or null where the server does not list it
   * @throws DicomwebClientError
   */
  async searchInstance(
    studyInstanceUID: string,
    seriesInstanceUID: string,
    sopInstanceUID: string,
  ): Promise<DicomJson | null> {
    const where = `/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances?SOPInstanceUID=${sopInstanceUID}`
    const answer = await this.#search(where)
    return answer.find((item) => item['00080018']?.Value?.[0] === sopInstanceUID) ?? null
  }

  /**
   * One page of the SOP Instance UIDs that the server lists for a study (QIDO-RS, PS3.18 10.6).
   * @returns at most as many as asked for, where the server keeps to that; none behind the last page
   * @throws DicomwebClientError
   */
  async listInstances(studyInstanceUID: string, page: { limit: number; offset: number }): Promise<string[]> {
    const where = `/studies/${studyInstanceUID}/instances?limit=${page.limit}&offset=${page.offset}`
    const answer = await this.#search(where)
    return answer.map((item) => item['00080018']?.Value?.[0]).filter((uid) => typeof uid === 'string')
  }

  /**
   * How many instances the server says that a study has (QIDO-RS, PS3.18 10.6): Number of Study Related Instances (0020,1208).
   * @returns null where the server does not list the study, or does not say
   * @throws DicomwebClientError
   */
  async countInstances(studyInstanceUID: string, signal?: AbortSignal): Promise<number | null> {
    const answer = await this.#search(
      `/studies?StudyInstanceUID=${studyInstanceUID}&includefield=00201208&limit=1`,
      signal,
    )
    // A server that ignores the key would list any study.
    const study = answer.find((item) => item['0020000D']?.Value?.[0] === studyInstanceUID)
    return study === undefined ? null : numberOf(study, 'NumberOfStudyRelatedInstances')
  }

  /**
   * Asks for at most one study: shows that the address, the credentials and QIDO-RS work.
   * @returns how many studies were listed, 0 or 1
   * @throws DicomwebClientError
   */
  async echo(): Promise<number> {
    return (await this.#search('/studies?limit=1')).length
  }

  /**
   * Retrieves one instance as stored (WADO-RS, PS3.18 10.4) and digests it while it streams.
   * @returns null where the server says that it has no such instance
   * @throws DicomwebClientError; DicomError where the answer is no Part 10 object
   */
  async retrieveInstance(
    studyInstanceUID: string,
    seriesInstanceUID: string,
    sopInstanceUID: string,
  ): Promise<Part10Digest | null> {
    const where = `/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`
    const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    // Headers and every pause between two chunks are limited; the whole only so far that a server that trickles comes to an end.
    const answer = await this.#get('WADO-RS', where, accept, AbortSignal.timeout(this.#timeoutMs * retrievalPatience))
    if (answer.statusCode === 404 || answer.statusCode === 410) {
      await answer.body.dump()
      return null
    }
    await requireSuccess('WADO-RS', answer)
    try {
      return await digestPart10(firstPart(answer.body, String(answer.headers['content-type'] ?? '')))
    } catch (error) {
      answer.body.destroy()
      if (error instanceof Error && error.name === 'DicomError') throw error
      throw errorOfTransport('WADO-RS', error)
    }
  }

  /** Closes the connections; requests under way are ended. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #search(where: string, signal?: AbortSignal): Promise<DicomJson[]> {
    const deadline = AbortSignal.timeout(this.#timeoutMs)
    const limit = signal ? AbortSignal.any([signal, deadline]) : deadline
    const answer = await this.#get('QIDO-RS', where, 'application/dicom+json', limit)
    if (answer.statusCode === 404) {
      // PS3.18 asks for 200 or 204 where nothing matches, some servers say 404 for a study that they do not hold; a wrong root says so too.
      const text = (await limitedBody(answer.body, maximumSearchAnswer)).toString('utf8')
      if (where.startsWith('/studies/')) return []
      throw errorOfStatus('QIDO-RS', 404, explanationIn(text))
    }
    await requireSuccess('QIDO-RS', answer)
    const text = await limitedBody(answer.body, maximumSearchAnswer).catch((error: unknown) => {
      throw errorOfTransport('QIDO-RS', error)
    })
    if (answer.statusCode === 204 || text.length === 0) return []
    const parsed = parseJson(text.toString('utf8'))
    if (!Array.isArray(parsed))
      throw new DicomwebClientError('unreadable-answer', 'QIDO-RS was answered with something else than a JSON array')
    return parsed as DicomJson[]
  }

  async #get(operation: string, where: string, accept: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${this.url}${where}`, {
        // Asked for gzip, some servers compress pixels, at a twentieth of the speed.
        headers: { ...this.#headers, accept, 'accept-encoding': 'identity' },
        dispatcher: this.#agent,
        ...(signal ? { signal } : {}),
      })
    } catch (error) {
      throw errorOfTransport(operation, error)
    }
  }

  async #batches(objects: readonly StoreObject[]): Promise<{ batch: StoreObject[]; bytes: number }[]> {
    const batches: { batch: StoreObject[]; bytes: number }[] = []
    for (const object of objects) {
      const { size } = await stat(object.path)
      const last = batches.at(-1)
      if (last && last.bytes + size <= this.#batchBytes) {
        last.batch.push(object)
        last.bytes += size
      } else batches.push({ batch: [object], bytes: size })
    }
    return batches
  }

  async #storeBatch(batch: StoreObject[], bytes: number): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(Math.ceil(this.#timeoutMs + bytes / 128))
    if (bytes > this.#batchBytes) return this.#storeStreamed(batch, signal)
    const datasets = await Promise.all(batch.map(async (object) => arrayBuffer(await readFile(object.path))))
    const instance = new UndiciRequest({ dispatcher: this.#agent, signal })
    try {
      // The library's types ask for the browser's XMLHttpRequest; it uses no more of it than UndiciRequest has.
      await this.#client.storeInstances({ datasets, request: { instance } })
    } catch (error) {
      if (instance.status === 0) throw instance.failure ?? error
    }
    return { status: instance.status, text: String(instance.response) }
  }

  async #storeStreamed(batch: StoreObject[], signal: AbortSignal): Promise<{ status: number; text: string }> {
    const parts = await Promise.all(batch.map(async (object) => filePart(object.path)))
    const multipart = writeMultipart('application/dicom', parts)
    const answer = await request(`${this.url}/studies`, {
      method: 'POST',
      headers: {
        ...this.#headers,
        accept: 'application/dicom+json',
        'content-type': multipart.contentType,
        'content-length': String(multipart.length),
      },
      body: Readable.from(multipart.bytes()),
      dispatcher: this.#agent,
      signal,
    })
    return { status: answer.statusCode, text: (await limitedBody(answer.body, maximumSearchAnswer)).toString('utf8') }
  }
}

async function filePart(path: string): Promise<OutgoingPart> {
  const { size } = await stat(path)
  return {
    headers: { 'Content-Type': 'application/dicom' },
    length: size,
    bytes: () => createReadStream(path, { highWaterMark: 256 * 1024 }),
  }
}

function readBatch(batch: StoreObject[], status: number, text: string): StoreOutcome[] {
  const uids = batch.map((object) => object.sopInstanceUID)
  if (status !== 409 && (status < 200 || status > 299)) {
    const failed = errorOfStatus('STOW-RS', status, explanationIn(text))
    return failures(batch, failed.retry, failed.message, status)
  }
  const parsed = parseJson(text)
  return readStoreAnswer(uids, status, isDataSet(parsed) ? parsed : null)
}

function failures(
  batch: StoreObject[],
  retry: DicomwebClientError['retry'],
  reason: string,
  status: number | null,
): StoreOutcome[] {
  return batch.map(({ sopInstanceUID }) => ({ sopInstanceUID, kind: 'failed', retry, reason, status }))
}

async function requireSuccess(operation: string, answer: Dispatcher.ResponseData): Promise<void> {
  if (answer.statusCode >= 200 && answer.statusCode < 300) return
  const text = await limitedBody(answer.body, maximumSearchAnswer).catch(() => Buffer.alloc(0))
  throw errorOfStatus(operation, answer.statusCode, explanationIn(text.toString('utf8')))
}

/** The header that lets the node in. */
export function authorization(auth: DicomwebAuth = { kind: 'none' }): Record<string, string> {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`, 'utf8').toString('base64')}` }
    case 'bearer':
      return { authorization: `Bearer ${auth.token}` }
  }
}

function lowerCaseNames(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The bytes as dicomweb-client takes them; a copy only where the buffer is part of a larger one. */
function arrayBuffer(bytes: Buffer): ArrayBuffer {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer as ArrayBuffer
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isDataSet(value: unknown): value is DicomJson {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
