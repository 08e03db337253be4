import { HilumError } from '../errors.ts'

export type RouteErrorCode =
  | 'route-unknown'
  | 'version-unknown'
  | 'draft-unknown'
  | 'study-unknown'
  | 'draft-exists'
  | 'replays-busy'
  | 'order-incomplete'
  | 'route-invalid'
  | 'name-reserved'
  | 'body-too-long'

/** What cannot be done with a route, a version or a draft. */
export class RouteError extends HilumError<RouteErrorCode> {}
