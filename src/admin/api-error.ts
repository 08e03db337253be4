import { HilumError } from '../errors.ts'

/** A refusal whose status the caller of the API has to know. */
export class ApiError extends HilumError {
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(code, message)
    this.status = status
  }
}
