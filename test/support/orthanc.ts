import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface OrthancProcess {
  url: string
  dimsePort: number
  authorization: string
  /** Its REST API: `body` as JSON, or as bytes. @throws Error with its answer where it is no success */
  request<T>(method: string, where: string, body?: unknown): Promise<T>
  stop(): Promise<void>
  dispose(): Promise<void>
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/**
 * A real Orthanc with its DICOMweb plug-in on a folder and ports of its own, with basic authentication.
 * @param options.settings further settings of its configuration file
 */
export async function startOrthanc(options: {
  user: string
  password: string
  settings?: Record<string, unknown>
}): Promise<OrthancProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-orthanc-'))
  const [httpPort, dimsePort] = [await freePort(), await freePort()]
  const settings = path.join(folder, 'orthanc.json')
  writeFileSync(
    settings,
    JSON.stringify({
      Name: 'PEER',
      StorageDirectory: folder,
      IndexDirectory: folder,
      HttpPort: httpPort,
      DicomPort: dimsePort,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: true,
      RegisteredUsers: { [options.user]: options.password },
      Plugins: ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so'],
      DicomWeb: { Enable: true, Root: '/dicom-web/' },
      ...options.settings,
    }),
  )
  const child = spawn('Orthanc', [settings], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${httpPort}`
  const authorization = `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${url}/system`, { headers: { authorization } }).catch(() => null)
    if (answer?.ok) break
    if (attempt > 150 || child.exitCode !== null) throw new Error('Orthanc did not start')
    await sleep(100)
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
  return {
    url,
    dimsePort,
    authorization,
    async request<T>(method: string, where: string, body?: unknown): Promise<T> {
      const response = await fetch(url + where, {
        method,
        headers: { authorization },
        ...(body !== undefined && { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`Orthanc: ${where}: ${response.status} ${text}`)
      return (text === '' ? null : JSON.parse(text)) as T
    },
    stop,
    async dispose() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
