import { DicomError } from '../dicom/error.ts'
import { RouteError, type RouteErrorCode } from '../store/route-error.ts'
import { ApiError } from './api-error.ts'

const statusOf: Readonly<Record<RouteErrorCode, number>> = {
  'route-unknown': 404,
  'version-unknown': 404,
  'draft-unknown': 404,
  'study-unknown': 404,
  'draft-exists': 409,
  'replays-busy': 409,
  'order-incomplete': 422,
  'route-invalid': 422,
  'name-reserved': 422,
  'body-too-long': 413,
}

/** @throws ApiError in place of what says why it cannot be done */
export async function explained<T>(act: Promise<T>): Promise<T> {
  try {
    return await act
  } catch (error) {
    if (error instanceof RouteError) throw new ApiError(statusOf[error.code], error.code, `${error.message}.`)
    if (error instanceof DicomError) throw new ApiError(422, error.code, `${error.message}.`)
    throw error
  }
}
