import { readFile } from 'node:fs/promises'
import type { Knex } from 'knex'
import type { WatchedCertificate } from '../admin/api-settings.ts'
import type { Config } from '../config.ts'
import { certificateOfPEM } from '../dicomweb/certificate.ts'
import { messageOf } from '../errors.ts'
import { storedDestinations } from '../store/stored-destinations.ts'
import { seenCertificates } from './peer-certificates.ts'

/** A certificate that expires sooner is worth a word, days. */
const soonDays = 30

export interface CertificatesOptions {
  config: Pick<Config, 'dimse' | 'destinations'>
  database: Knex
  /** Applications that are called. */
  remotes: { list(): { aeTitle: string; tls: { ca?: string; certificate?: string } | null }[] }
}

/** The certificates that the node shows, those that it trusts, and those that peers have shown: with what is wrong with them. */
export async function watchedCertificates({
  config,
  database,
  remotes,
}: CertificatesOptions): Promise<WatchedCertificate[]> {
  const { tls } = config.dimse
  const files: [where: string, kind: WatchedCertificate['kind'], file: string | undefined][] = [
    ['DICOM listener with TLS', 'listener', tls?.certificate],
    ['authorities of DICOM callers', 'listener', tls?.ca],
    ...remotes
      .list()
      .map(({ aeTitle, tls: own }): (typeof files)[number] => [
        `as a caller of ${aeTitle}`,
        'client',
        own?.certificate,
      ]),
    ...remotes
      .list()
      .map(({ aeTitle, tls: own }): (typeof files)[number] => [`authorities of ${aeTitle}`, 'client', own?.ca]),
    ...Object.entries(config.destinations).flatMap(([name, one]): (typeof files)[number][] =>
      one.kind === 'self'
        ? []
        : [
            [`as a client of ${name}`, 'client', one.tls?.cert],
            [`authorities of ${name}`, 'client', one.tls?.ca],
          ],
    ),
  ]
  const ofFiles = await Promise.all(
    files.flatMap(([where, kind, file]) => (file === undefined ? [] : [{ where, kind, file }])).map(read),
  )
  const ofDestinations = (await storedDestinations(database)).flatMap(({ name, definition: { tls: own } }) =>
    [[`as a client of ${name}`, own?.certificate] as const, [`authorities of ${name}`, own?.ca] as const].flatMap(
      ([where, pem]) => (pem ? [judged({ where, kind: 'client', file: null, pem, seenAt: null })] : []),
    ),
  )
  const seen = (await seenCertificates(database)).map(
    ({ peer, certificate, seenAt }): WatchedCertificate => ({
      where: peer,
      kind: 'peer',
      file: null,
      certificate,
      problem: expiry(certificate.daysLeft),
      seenAt,
    }),
  )
  return [...ofFiles, ...ofDestinations, ...seen]
}

async function read({
  where,
  kind,
  file,
}: {
  where: string
  kind: WatchedCertificate['kind']
  file: string
}): Promise<WatchedCertificate> {
  try {
    return judged({ where, kind, file, pem: await readFile(file), seenAt: null })
  } catch (error) {
    return { where, kind, file, certificate: null, problem: `it cannot be read: ${messageOf(error)}`, seenAt: null }
  }
}

function judged({
  pem,
  ...rest
}: Pick<WatchedCertificate, 'where' | 'kind' | 'file' | 'seenAt'> & { pem: string | Buffer }): WatchedCertificate {
  try {
    const certificate = certificateOfPEM(pem)
    return { ...rest, certificate, problem: expiry(certificate.daysLeft) }
  } catch (error) {
    return { ...rest, certificate: null, problem: `it cannot be read: ${messageOf(error)}` }
  }
}

function expiry(daysLeft: number): string | null {
  if (daysLeft < 0) return `it has expired ${-daysLeft} days ago`
  return daysLeft < soonDays ? `it expires in ${daysLeft} days` : null
}
