import { constants } from 'node:crypto'
import type { SecureContextOptions, TLSSocket } from 'node:tls'

/**
 * BCP 195 (RFC 9325, RFC 8996), as PS3.15 annex B asks for: TLS 1.2 with the cipher suites that RFC 9325 4.2 recommends and
 * keys that are strong enough, or TLS 1.3; no renegotiation, no session tickets, whose keys would live as long as the process.
 */
export const bcp195: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    '@SECLEVEL=2',
  ].join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION,
}

/** The other side of a TLS connection, as admission may look at it. */
export interface TLSPeer {
  /** `TLSv1.2` or `TLSv1.3`. */
  protocol: string
  cipher: string
  /** The certificate that it showed, verified against our authorities; null where it showed none. */
  certificate: {
    /** Distinguished name, `CN=…, O=…`. */
    subject: string
    /** SHA-256, as hexadecimal bytes with colons. */
    fingerprint: string
  } | null
}

/** Describes the other side of a connection whose handshake is done. */
export function tlsPeerOf(socket: TLSSocket): TLSPeer {
  const { subject, fingerprint256 } = socket.getPeerCertificate()
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.name ?? '',
    certificate:
      fingerprint256 === undefined
        ? null
        : {
            subject: distinguishedName(subject as unknown as Record<string, string | string[]>),
            fingerprint: fingerprint256,
          },
  }
}

function distinguishedName(subject: Readonly<Record<string, string | string[]>>): string {
  return Object.entries(subject)
    .flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((one) => `${key}=${one}`))
    .join(', ')
}
