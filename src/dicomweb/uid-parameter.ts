import type { Request } from 'express'
import { RequestError } from './request-error.ts'

/**
 * Whether text has the form of a UID. Leading zeros are let through: modalities make such UIDs although PS3.5 9.1 forbids them, and
 * what was received must stay retrievable under the name it came with.
 */
export function isUIDText(text: string): boolean {
  return /^[0-9][0-9.]{0,63}$/.test(text)
}

const nameOf: Readonly<Record<string, string>> = {
  study: 'Study Instance UID',
  series: 'Series Instance UID',
  instance: 'SOP Instance UID',
}

/**
 * A UID from the request's path.
 * @param name the route parameter: study, series or instance
 * @throws RequestError 'bad-uid'
 */
export function uidParameter(request: Request, name: 'study' | 'series' | 'instance'): string {
  const value = String(request.params[name] ?? '')
  if (!isUIDText(value)) {
    throw new RequestError(
      'bad-uid',
      `The ${nameOf[name]} in the URL is not a UID: digits and dots, at most 64, are expected.`,
    )
  }
  return value
}
