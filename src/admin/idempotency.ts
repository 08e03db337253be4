import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { Knex } from 'knex'
import type { SecretBox } from '../store/secret-box.ts'
import { ApiError } from './api-error.ts'

/** An answer that was given: kept, so that the same request gets the same answer. */
export interface KeptAnswer {
  status: number
  body: unknown
}

export interface IdempotencyOptions {
  knex: Knex
  /** Answers may hold secrets that are shown once, and patients' data: they are sealed. */
  box: SecretBox
  now?: () => Date
}

/** How long an answer is kept, ms. */
const keptMs = 24 * 3_600_000
/** How often keys that are too old are looked for, ms. */
const sweepMs = 3_600_000
/** The longest key; people use UUIDs. */
const longestKey = 255

/**
 * What `Idempotency-Key` promises (draft-ietf-httpapi-idempotency-key-header): an action that is asked for again with the same key, by
 * the same caller, is done once, and is answered as it was the first time, for 24 hours. Only successes are kept: what was refused has
 * done nothing, and may be asked again.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  #sweptAt = 0

  constructor(options: IdempotencyOptions) {
    this.#options = options
  }

  /**
   * Does an action once for its key.
   * @param request who asks for what with which key; `body` as it came, of which only a digest is kept
   * @param act does it, and says what to answer
   * @returns the answer, and whether it is that of an earlier request
   * @throws ApiError 422 `idempotency-key-reused` for another body, 409 `idempotency-key-in-use` while the first request has not ended
   */
  async once(
    request: { actor: string; operation: string; key: string; body: unknown },
    act: () => Promise<KeptAnswer>,
  ): Promise<KeptAnswer & { replayed: boolean }> {
    const { knex, box } = this.#options
    const { actor, operation, key: name, body } = request
    if (name.length === 0 || name.length > longestKey)
      throw new ApiError(400, 'bad-idempotency-key', `An Idempotency-Key has 1 to ${longestKey} characters.`)
    const key = digest(actor, operation, name)
    // With the node's key: bodies hold passwords, which a plain digest would let one guess fast.
    const bodyDigest = box.mac(JSON.stringify(body ?? null), key)
    await this.#sweep()
    const row = { key, request: bodyDigest, created_at: this.#now().toISOString() }
    const mine = await knex('idempotency_keys').insert(row).onConflict('key').ignore().returning('key')
    if (mine.length === 0) {
      const kept = await knex('idempotency_keys')
        .where({ key })
        .first<{ request: string; status: number | null; answer: string | null } | undefined>()
      if (kept && kept.request !== bodyDigest)
        throw new ApiError(422, 'idempotency-key-reused', 'This Idempotency-Key was used with another request.')
      if (kept?.status == null)
        throw new ApiError(
          409,
          'idempotency-key-in-use',
          'The first request with this Idempotency-Key has not ended, or ended with the node: look what it has done.',
        )
      const answer: unknown = kept.answer === null ? undefined : JSON.parse(box.open(kept.answer, key))
      return { status: kept.status, body: answer, replayed: true }
    }
    let answer: KeptAnswer
    try {
      answer = await act()
    } catch (error) {
      await knex('idempotency_keys').where({ key }).delete()
      throw error
    }
    const sealed = answer.body === undefined ? null : box.seal(JSON.stringify(answer.body), key)
    await knex('idempotency_keys').where({ key }).update({ status: answer.status, answer: sealed })
    return { ...answer, replayed: false }
  }

  async #sweep(): Promise<void> {
    const now = this.#now().getTime()
    if (now - this.#sweptAt < sweepMs) return
    this.#sweptAt = now
    await this.#options
      .knex('idempotency_keys')
      .where('created_at', '<', new Date(now - keptMs).toISOString())
      .delete()
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date()
  }
}

/** The key that a request carries; undefined where it has none. */
export function idempotencyKeyOf(req: Request): string | undefined {
  const header = req.headers['idempotency-key']
  return Array.isArray(header) ? header[0] : header
}

function digest(...parts: string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
