import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { ApiError } from './api-error.ts'

/** The entity tag of what a GET answers (RFC 9110 8.8.3): the same content has the same tag, on every node and after every restart. */
export function entityTag(shown: unknown): string {
  return `"${createHash('sha256').update(canonical(shown)).digest('base64url').slice(0, 22)}"`
}

/**
 * Lets an edit pass only where the editor has seen what is there now: `If-Match` with the tag that GET gave, or `*` for whatever is there.
 * @param current what GET answers now
 * @throws ApiError 428 `if-match-needed`, 412 `changed-meanwhile`
 */
export function requireMatch(req: Request, current: unknown): void {
  const given = req.headers['if-match']
  if (given === undefined)
    throw new ApiError(
      428,
      'if-match-needed',
      'Send If-Match with the ETag of what you have seen, so that nobody’s change is lost.',
    )
  const tags = given.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (tags.includes('*') || tags.includes(entityTag(current))) return
  throw new ApiError(412, 'changed-meanwhile', 'It has been changed since you looked: look again, then decide.')
}

/**
 * Whether the caller has what would be answered. Unlike express's `fresh`, whatever Cache-Control says: browsers send `no-cache` with every
 * If-None-Match that a program sets.
 */
export function isUnchanged(req: Request, etag: string): boolean {
  const tags = req.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

/** JSON whose keys are in order, without the `etag` that rows of lists carry about themselves. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) => {
      if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
      const entries = Object.entries(member).filter(([name]) => name !== 'etag')
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
    }) ?? 'undefined'
  )
}
