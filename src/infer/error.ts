import { HilumError } from '../errors.ts'

/**
 * What can go wrong in inference.
 * - `refused`: the input is outside of what the pipeline declares; the message is the reason
 * - `unsupported-pixels`: pixel data that cannot be decoded
 * - `corrupt-pixels`: pixel data whose bytes do not make the frame that its header announces
 * - `unreadable-input`: an instance of the input cannot be read
 * - `no-provider`: none of the wanted execution providers can be used
 * - `model-failed`: the model's run ended with an error: in the engine, on the server, in the program
 * - `model-unreachable`: an inference server does not answer, or turns the caller away; transient
 * - `model-deadline`: the model did not answer within its deadline
 * - `wrong-shape`: a tensor is not of the name, type or dimensions that the model, or the pipeline, says
 * - `not-finite`: an output of the model holds NaN or infinity
 * - `wrong-value`: a value is not what the manifest says of it: fewer numbers than classes, a probability beyond 0 to 1
 * - `out-of-memory`: an array that is needed cannot be had
 */
export type InferErrorCode =
  | 'refused'
  | 'unsupported-pixels'
  | 'corrupt-pixels'
  | 'unreadable-input'
  | 'no-provider'
  | 'model-failed'
  | 'model-unreachable'
  | 'model-deadline'
  | 'wrong-shape'
  | 'not-finite'
  | 'wrong-value'
  | 'out-of-memory'

export class InferError extends HilumError<InferErrorCode> {}

/** The error that ends a run with the pipeline's own judgement. */
export function refusal(reason: string, detail: Readonly<Record<string, unknown>> = {}): InferError {
  return new InferError('refused', reason, { detail })
}
