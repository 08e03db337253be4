import { HilumError } from '../errors.ts'

/** A refusal whose status the caller of the API has to know. */
export class ApiError extends HilumError {
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(code, message)
    this.status = status
  }
}

/**
 * Makes what waits for an act and answers the errors of one kind as refusals; every other error stays what it is.
 * @param statusOf the HTTP status of a code of that kind
 */
export function refusing<Code extends string>(
  kind: new (...args: never[]) => HilumError<Code>,
  statusOf: (code: Code) => number,
): <T>(act: Promise<T>) => Promise<T> {
  return async (act) => {
    try {
      return await act
    } catch (error) {
      if (!(error instanceof kind)) throw error
      throw new ApiError(statusOf(error.code), error.code, `${error.message}.`)
    }
  }
}
