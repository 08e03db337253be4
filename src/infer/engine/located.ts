import { HilumError } from '../../errors.ts'
import { InferError } from '../error.ts'

/** An error with the place in the pipeline before its message. A refusal speaks of the input: it stays as it is. */
export function located(error: unknown, place: string): unknown {
  if (error instanceof RangeError && /allocation|length/i.test(error.message))
    return new InferError('out-of-memory', `${place}: there is not enough memory for the result`, { cause: error })
  if (!(error instanceof HilumError) || error.code === 'refused') return error
  error.message = `${place}: ${error.message}`
  return error
}
