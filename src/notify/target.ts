import { HilumError } from '../errors.ts'

/** How far sending came. */
export type Stage = 'address' | 'connection' | 'tls' | 'login' | 'message'

/** A message that was not sent. `permanent`: there is no use in sending it again as it is. */
export class SendError extends HilumError<'not-sent'> {
  readonly stage: Stage
  readonly permanent: boolean

  constructor(
    stage: Stage,
    message: string,
    { permanent = false, cause }: { permanent?: boolean; cause?: unknown } = {},
  ) {
    super('not-sent', message, { retry: permanent ? 'permanent' : 'transient', cause })
    this.stage = stage
    this.permanent = permanent
  }
}

/** A webhook with its secrets. */
export interface WebhookTarget {
  kind: 'webhook'
  url: string
  /** null: unsigned. */
  secret: string | null
  headers: Readonly<Record<string, string>>
  ca: string | null
  rejectUnauthorized: boolean
  timeoutMs: number
}

/** E-mail with its secrets. */
export interface EmailTarget {
  kind: 'email'
  host: string
  port: number
  security: 'starttls' | 'tls' | 'none'
  username: string | null
  password: string | null
  from: string
  to: readonly string[]
  ca: string | null
  rejectUnauthorized: boolean
  timeoutMs: number
}
