/** Why the node did not do what was asked (RFC 9457), or that it did not answer at all. */
export class Problem extends Error {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number
  /** Hilum's own code, stable for programs. */
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.code = code
  }
}

/** What went wrong, for people. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.'
}

/** True where the node does not have what was asked for, or does not offer it in this version. */
export function isMissing(error: unknown): boolean {
  return error instanceof Problem && (error.status === 404 || error.status === 501)
}
