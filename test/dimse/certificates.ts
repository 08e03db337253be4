import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { runProgram } from '../support/programs.ts'

/** PEM files of one certificate. */
export interface CertificateFiles {
  certificate: string
  key: string
}

/** A certificate authority in a folder, by openssl. */
export class TestAuthority {
  readonly #folder: string
  readonly ca: string
  readonly #key: string

  constructor(folder: string, name = 'authority') {
    this.#folder = folder
    this.ca = path.join(folder, `${name}.pem`)
    this.#key = path.join(folder, `${name}.key`)
    const basic = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign']
    openssl(['req', '-x509', ...newKey(this.#key), '-out', this.ca, '-subj', `/CN=${name}`, '-days', '2', ...basic])
  }

  /** A certificate for 127.0.0.1 and localhost, of this authority. */
  issue(name: string): CertificateFiles {
    const [certificate, key, request] = ['pem', 'key', 'csr'].map((kind) => path.join(this.#folder, `${name}.${kind}`))
    const extensions = path.join(this.#folder, `${name}.ext`)
    writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    openssl(['req', ...newKey(key as string), '-out', request as string, '-subj', `/O=Test/CN=${name}`])
    const signed = ['-CA', this.ca, '-CAkey', this.#key, '-CAcreateserial', '-days', '2', '-extfile', extensions]
    openssl(['x509', '-req', '-in', request as string, '-out', certificate as string, ...signed])
    return { certificate: certificate as string, key: key as string }
  }
}

const newKey = (file: string): string[] => [
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:P-256',
  '-nodes',
  '-keyout',
  file,
]

function openssl(args: string[]): void {
  const { code, output } = runProgram('openssl', args)
  if (code !== 0) throw new Error(output)
}
