import { createHash, randomBytes, randomInt } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** OWASP's recommendation for argon2id (algorithm 2; the package's enum is none at run time): 19 MiB, two passes, one lane. */
const argon2id = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export function passwordHash(password: string): Promise<string> {
  return hash(password, argon2id)
}

let decoy: Promise<string> | null = null

/** True for the password of a hash; takes as long where there is no hash. */
export async function isPassword(password: string, of: string | null): Promise<boolean> {
  decoy ??= passwordHash(randomBytes(16).toString('hex'))
  const right = await verify(of ?? (await decoy), password)
  return of !== null && right
}

const shortest = 12
const fewestLetters = 6
/** What lists of stolen passwords begin with, in the forms that are long enough. */
const guessed = /^(?:.{0,3})(?:password|passw0rd|welcome|letmein|qwert[yz]|administrator|hilum)+(?:.{0,5})$/i

/**
 * What is wrong with a password (NIST SP 800-63B 5.1.1.2: length and guessability count, mixtures of letters and signs do not).
 * @returns null where nothing is
 */
export function weaknessOf(password: string, userName: string): string | null {
  if (password.length < shortest) return `a password needs at least ${shortest} characters`
  const folded = password.toLowerCase()
  if (userName.length >= 3 && folded.includes(userName.toLowerCase()))
    return 'a password must not contain the user name'
  if (new Set(folded).size < fewestLetters) return `a password needs at least ${fewestLetters} different characters`
  if (isRow(folded) || guessed.test(password)) return 'this password is among the first that are guessed'
  return null
}

const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
]

/** Neighbours in the alphabet, among the digits or on the keyboard, forwards or back. */
function isRow(text: string): boolean {
  const reversed = text.split('').reverse().join('')
  return rows.some((row) => row.includes(text) || row.includes(reversed))
}

/** SHA-256 in hexadecimal: enough for random secrets, which nobody can guess; passwords get argon2id. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

/** A random secret of 256 bits, for tokens and cookies. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** 20 characters in groups that can be read aloud, from an alphabet without look-alikes: 98 bits. */
export function randomPassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'
  const letters = Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)])
  return [0, 5, 10, 15].map((start) => letters.slice(start, start + 5).join('')).join('-')
}
