import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'

/** An X.509 certificate, as it can be shown to a person. */
export interface Certificate {
  subject: string
  issuer: string
  /** Subject Alternative Names. */
  names: string[]
  /** ISO 8601 UTC. */
  validFrom: string
  validTo: string
  /** Whole days until it expires; negative: it has. */
  daysLeft: number
  /** SHA-256, with colons. */
  fingerprint: string
}

/** The certificate that a peer has shown; null where it showed none. */
export function certificateOf(peer: PeerCertificate): Certificate | null {
  return peer.raw ? shown(new X509Certificate(peer.raw)) : null
}

/**
 * The first certificate of a PEM text.
 * @throws Error where there is none
 */
export function certificateOfPEM(pem: string | Buffer): Certificate {
  return shown(new X509Certificate(pem))
}

function shown(certificate: X509Certificate): Certificate {
  const validTo = new Date(certificate.validTo).toISOString()
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    names: (certificate.subjectAltName ?? '').split(', ').filter((name) => name !== ''),
    validFrom: new Date(certificate.validFrom).toISOString(),
    validTo,
    daysLeft: daysUntil(validTo),
    fingerprint: certificate.fingerprint256,
  }
}

/** The common name where there is one, with the organisation. */
function nameOf(distinguished: string): string {
  const parts = new Map(
    distinguished.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  )
  const [name, organisation] = [parts.get('CN'), parts.get('O')]
  if (name === undefined) return distinguished.replaceAll('\n', ', ')
  return organisation === undefined ? name : `${name} (${organisation})`
}

/** Whole days until a time (ISO 8601). */
export function daysUntil(time: string, now = Date.now()): number {
  return Math.floor((Date.parse(time) - now) / 86_400_000)
}
