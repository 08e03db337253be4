import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { boundaryOf, readMultipart } from '../../src/dicomweb/multipart.ts'

/** A small DICOMweb archive on a real socket, which can be told to misbehave. It keeps Part 10 objects by SOP Instance UID. */
export class Archive {
  readonly objects = new Map<string, Buffer>()
  readonly requests: string[] = []
  readonly authorizations: (string | undefined)[] = []
  /** Takes a STOW request over; true when it has answered (or never will). */
  onStore: ((uids: string[], res: ServerResponse, req: IncomingMessage) => boolean) | null = null
  /** The same for QIDO-RS and WADO-RS. */
  onRead: ((req: IncomingMessage, res: ServerResponse) => boolean) | null = null
  /** What the archive makes of an object when it gives it back. */
  change: (bytes: Buffer) => Buffer = (bytes) => bytes
  readonly #server: Server

  constructor() {
    this.#server = createServer((req, res) => {
      this.#answer(req, res).catch((error: unknown) => res.destroy(error as Error))
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/dicom-web`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  count(what: string): number {
    return this.requests.filter((request) => request.startsWith(what)).length
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.requests.push(`${req.method} ${req.url}`)
    this.authorizations.push(req.headers.authorization)
    const url = new URL(req.url ?? '/', 'http://archive')
    if (req.method === 'POST' && url.pathname === '/dicom-web/studies') return this.#store(req, res)
    if (this.onRead?.(req, res)) return
    if (url.pathname === '/dicom-web/studies') return json(res, 200, this.objects.size > 0 ? [{}] : [])
    const instance = /\/instances\/([\d.]+)$/.exec(url.pathname)?.[1]
    if (instance !== undefined) return this.#retrieve(res, instance)
    const wanted = url.searchParams.get('SOPInstanceUID') ?? ''
    const found = this.objects.has(wanted) ? [{ '00080018': { vr: 'UI', Value: [wanted] } }] : []
    json(res, 200, found)
  }

  async #store(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const received = new Map<string, Buffer>()
    for await (const part of readMultipart(req, boundaryOf(req.headers['content-type'] ?? ''))) {
      const chunks: Buffer[] = []
      for await (const chunk of part.body) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      const uid = /2\.25\.31415926535\.3\.\d+/.exec(bytes.toString('latin1'))?.[0]
      if (uid === undefined) throw new Error('a part without a SOP Instance UID was sent')
      received.set(uid, bytes)
    }
    const uids = [...received.keys()]
    if (this.onStore?.(uids, res, req)) return
    for (const [uid, bytes] of received) this.objects.set(uid, bytes)
    json(res, 200, storeAnswer(uids, []))
  }

  #retrieve(res: ServerResponse, uid: string): void {
    const bytes = this.objects.get(uid)
    if (!bytes) return json(res, 404, {})
    res.writeHead(200, { 'content-type': 'multipart/related; type="application/dicom"; boundary=XX' })
    res.end(
      Buffer.concat([
        Buffer.from('--XX\r\nContent-Type: application/dicom\r\n\r\n'),
        this.change(bytes),
        Buffer.from('\r\n--XX--\r\n'),
      ]),
    )
  }
}

/** A Store Instances Response Module. */
export function storeAnswer(stored: string[], failed: { uid: string; reason: number }[]): Record<string, unknown> {
  const uidElement = (uid: string) => ({ '00081155': { vr: 'UI', Value: [uid] } })
  return {
    ...(stored.length > 0 ? { '00081199': { vr: 'SQ', Value: stored.map(uidElement) } } : {}),
    ...(failed.length > 0
      ? {
          '00081198': {
            vr: 'SQ',
            Value: failed.map(({ uid, reason }) => ({ ...uidElement(uid), '00081197': { vr: 'US', Value: [reason] } })),
          },
        }
      : {}),
  }
}

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/dicom+json' })
  res.end(JSON.stringify(body))
}
