import { STATUS_CODES } from 'node:http'
import type { Response } from 'express'
import { sendProblem } from '../dicomweb/problem.ts'

/**
 * Answers a request with a problem document (RFC 9457).
 * @param code Hilum's own code of the problem, stable for programs
 */
export function refuse(res: Response, status: number, code: string, detail: string): void {
  sendProblem(res, { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code })
}
