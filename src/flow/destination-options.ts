import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { DicomwebServerOptions } from '../dicomweb/client.ts'

/** The configured destinations other than `self`, as the DICOMweb client takes them; certificates are read here, once. */
export function destinationOptions(config: Pick<Config, 'destinations'>): Record<string, DicomwebServerOptions> {
  const options: Record<string, DicomwebServerOptions> = {}
  for (const [name, destination] of Object.entries(config.destinations)) {
    if (destination.kind === 'self') continue
    const { url, auth, headers, tls, timeout } = destination
    options[name] = {
      url,
      auth: { ...auth },
      headers: { ...headers },
      timeoutMs: timeout * 1000,
      ...(tls ? { tls: pemsOf(tls) } : {}),
    }
  }
  return options
}

type Tls = Exclude<Extract<Config['destinations'][string], { kind: 'stow-rs' }>['tls'], undefined>

function pemsOf({ ca, cert, key, rejectUnauthorized }: Tls): NonNullable<DicomwebServerOptions['tls']> {
  const pem = (file: string): string => readFileSync(file, 'utf8')
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
  }
}
