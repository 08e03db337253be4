import type { Knex } from 'knex'
import { type Certificate, daysUntil } from '../dicomweb/certificate.ts'

/** A certificate that a peer has shown. */
export interface SeenCertificate {
  /** host:port. */
  peer: string
  certificate: Certificate
  /** ISO 8601 UTC. */
  seenAt: string
}

/** Remembers the certificate that a peer has shown last. */
export async function rememberPeerCertificate(
  database: Knex,
  peer: string,
  certificate: Certificate,
  at: string,
): Promise<void> {
  await database('peer_certificates')
    .insert({ peer: peer.slice(0, 255), certificate: JSON.stringify(certificate), seen_at: at })
    .onConflict('peer')
    .merge()
}

/** The certificates that peers have shown, by peer. */
export async function seenCertificates(database: Knex): Promise<SeenCertificate[]> {
  const rows: { peer: string; certificate: string; seen_at: string }[] = await database('peer_certificates')
    .orderBy('peer')
    .limit(500)
    .select('*')
  return rows.map((row) => {
    const certificate = JSON.parse(row.certificate) as Certificate
    return {
      peer: row.peer,
      seenAt: row.seen_at,
      certificate: { ...certificate, daysLeft: daysUntil(certificate.validTo) },
    }
  })
}
