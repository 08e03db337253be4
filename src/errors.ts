/**
 * What a caller may do about an error.
 * - `transient`: nothing happened; the same call may succeed later.
 * - `ambiguous`: it may or may not have happened; repeat only what is idempotent.
 * - `permanent`: the same call will fail again; somebody has to change something.
 */
export type RetryClass = 'transient' | 'ambiguous' | 'permanent'

/**
 * The base of every error that Hilum raises on purpose. A module declares its own union of codes and one subclass.
 * Messages name subject, value and expectation, and never carry patient data.
 */
export class HilumError<Code extends string = string> extends Error {
  readonly code: Code
  readonly retry: RetryClass
  readonly detail: Readonly<Record<string, unknown>>

  constructor(
    code: Code,
    message: string,
    options: { retry?: RetryClass; detail?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retry = options.retry ?? 'permanent'
    this.detail = options.detail ?? {}
  }
}

/** The message of anything that was thrown, for logs and for reasons that are stored. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
