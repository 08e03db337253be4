import { HilumError } from '../errors.ts'

/**
 * What can go wrong in inference.
 * - `refused`: the input is outside of what the pipeline declares; the message is the reason
 * - `unsupported-pixels`: pixel data that cannot be decoded
 * - `corrupt-pixels`: pixel data whose bytes do not make the frame that its header announces
 * - `unreadable-input`: an instance of the input cannot be read
 * - `no-provider`: none of the wanted execution providers can be used
 */
export type InferErrorCode = 'refused' | 'unsupported-pixels' | 'corrupt-pixels' | 'unreadable-input' | 'no-provider'

export class InferError extends HilumError<InferErrorCode> {}

/** The error that ends a run with the pipeline's own judgement. */
export function refusal(reason: string, detail: Readonly<Record<string, unknown>> = {}): InferError {
  return new InferError('refused', reason, { detail })
}
