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

/** A real Orthanc with its DICOMweb plug-in on a folder and ports of its own, with basic authentication. */
export async function startOrthanc(options: { user: string; password: string }): Promise<OrthancProcess> {
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
    stop,
    async dispose() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
