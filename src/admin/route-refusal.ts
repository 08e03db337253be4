import { DicomError } from '../dicom/error.ts'
import { RouteError, type RouteErrorCode } from '../store/route-error.ts'
import { refusing } from './api-error.ts'

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

const ofRoutes = refusing(RouteError, (code) => statusOf[code])
const ofFiles = refusing(DicomError, () => 422)

/** @throws ApiError in place of what says why it cannot be done */
export const explained = <T>(act: Promise<T>): Promise<T> => ofFiles(ofRoutes(act))
