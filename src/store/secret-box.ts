import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { StoreError } from './error.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** Name of the key's file in the data folder. Without it nothing that was sealed can be read again: it belongs to every backup. */
export const secretKeyFile = 'secrets.key'

/**
 * Seals what the database keeps and nobody may read in it: AES-256-GCM with a key that lies in the data folder, readable by the node's
 * user alone. It protects copies of the database; who can read the data folder can read what is sealed.
 */
export class SecretBox {
  readonly #folder: string
  #key: Buffer | null = null

  /** @param folder the data folder; the key is made there when it is first needed */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @param purpose what it is, and of what: it can only be opened as the same */
  seal(text: string, purpose: string): string {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#readKey(), nonce).setAAD(Buffer.from(purpose))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
  }

  /** @throws StoreError `cannot-unseal` where it was sealed with another key, for another purpose, or was changed */
  open(sealed: string, purpose: string): string {
    const bytes = Buffer.from(sealed, 'base64')
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#readKey(), bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw new StoreError(
        'cannot-unseal',
        `a secret of the database cannot be read: ${secretKeyFile} in the data folder is not the file that it was sealed with`,
        { cause },
      )
    }
  }

  /** HMAC-SHA-256 in hexadecimal: tells whether a text is the same, and without the key gives no guess at it away. */
  mac(text: string, purpose: string): string {
    return createHmac('sha256', this.#readKey()).update(purpose).update('\0').update(text).digest('hex')
  }

  #readKey(): Buffer {
    if (this.#key) return this.#key
    const file = path.join(this.#folder, secretKeyFile)
    const key = readIfThere(file) ?? makeKey(file)
    if (key.length !== keyBytes)
      throw new StoreError('cannot-unseal', `${file}: ${key.length} bytes, ${keyBytes} are expected`)
    this.#key = key
    return key
  }
}

function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Written whole under another name first: a crash leaves no half of a key. */
function makeKey(file: string): Buffer {
  const key = randomBytes(keyBytes)
  const whole = `${file}.${process.pid}`
  rmSync(whole, { force: true })
  const handle = openSync(whole, 'wx', 0o600)
  try {
    writeSync(handle, key)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(whole, file)
    return key
  } catch (error) {
    // Another process was quicker: its key counts.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFileSync(file)
  } finally {
    rmSync(whole, { force: true })
  }
}
