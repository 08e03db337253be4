import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CertificateFiles, TestAuthority } from '../../dimse/certificates.ts'
import { NodeProcess } from '../../support/node-process.ts'
import { freePort, type OrthancProcess, startOrthanc } from '../../support/orthanc.ts'

/** AE titles that the node knows with an address: where C-MOVE sends to. */
export interface Destinations {
  STORESCP: number
  GDCM: number
}

/** One node and one Orthanc, which know each other, and what else the clients need. */
export interface Setting {
  folder: string
  node: NodeProcess
  tlsPort: number
  orthanc: OrthancProcess
  destinations: Destinations
  ca: string
  client: CertificateFiles
  /** User name and password that the node admits. */
  user: [name: string, password: string]
  dispose(): Promise<void>
}

/** The AE title that may store, and nothing else. */
export const storesOnly = 'SCANNER'

/** Starts everything. */
export async function startSetting(): Promise<Setting> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-interoperability-'))
  const authority = new TestAuthority(folder)
  const [server, client] = [authority.issue('node'), authority.issue('client')]
  const orthanc = await startOrthanc({
    user: 'hilum',
    password: 'secret',
    settings: {
      DicomTlsCertificate: client.certificate,
      DicomTlsPrivateKey: client.key,
      DicomTlsTrustedCertificates: authority.ca,
    },
  })
  const destinations = { STORESCP: await freePort(), GDCM: await freePort() }
  const tlsPort = await freePort()
  const config = path.join(folder, 'hilum.json')
  const ports = { ...destinations, ORTHANC: orthanc.dimsePort }
  const remotes = Object.entries(ports).map(([aeTitle, port]) => ({
    aeTitle,
    host: '127.0.0.1',
    port,
    may: ['store', 'query', 'retrieve'],
  }))
  const tls = { port: tlsPort, ...server, ca: authority.ca, clientCertificate: 'required' }
  const dimse = { unknownCallers: 'loopback', userIdentity: { check: 'accounts' }, tls }
  // Nothing here is about completion: studies are to stay as they are.
  const assemble = { quiet: 3600, release: 3600 }
  writeFileSync(config, JSON.stringify({ dimse, assemble, remotes: [...remotes, { aeTitle: storesOnly }] }))
  const node = await new NodeProcess({ HILUM_ROLES: 'receive,serve' }, config).start()
  return {
    folder,
    node,
    tlsPort,
    orthanc,
    destinations,
    ca: authority.ca,
    client,
    user: ['admin', node.firstPassword],
    async dispose() {
      await node.dispose()
      await orthanc.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A new folder inside the setting's. */
export function newFolder({ folder }: Setting, name: string): string {
  const made = path.join(folder, name)
  mkdirSync(made)
  return made
}
