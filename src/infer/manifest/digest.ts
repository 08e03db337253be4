import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** SHA-256 of a text or bytes, hexadecimal. */
export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** SHA-256 of a file, read piece by piece: models may be larger than memory should be. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** `sha256:` and the digest over sorted names and digests: a pipeline's own. */
export function digestOf(files: readonly (readonly [name: string, sha256: string])[]): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, digest]) => `${name} ${digest}\n`)
  return `sha256:${sha256Of(lines.join(''))}`
}
