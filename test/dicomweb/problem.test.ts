import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { problemHandler, problemOf } from '../../src/dicomweb/problem.ts'
import { RequestError } from '../../src/dicomweb/request-error.ts'
import { HilumError } from '../../src/errors.ts'
import { type Log, type LogContext, silentLog } from '../../src/log.ts'

describe('problem documents', () => {
  it('give each code its status, with the sentence and the details', () => {
    const error = new RequestError('unknown-parameter', 'The parameter x is unknown.', {
      detail: { parameter: 'x', status: 999 },
    })
    expect(problemOf(error)).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'The parameter x is unknown.',
      code: 'unknown-parameter',
      parameter: 'x',
    })
    expect(problemOf(new RequestError('not-acceptable', 'x')).status).toBe(406)
    expect(problemOf(new HilumError('out-of-space', 'x')).status).toBe(507)
    expect(problemOf(Object.assign(new Error('x'), { code: 'ENOSPC' })).status).toBe(507)
    expect(problemOf(new HilumError('object-missing', 'x')).status).toBe(404)
  })

  it('tell nothing of errors that nobody foresaw', () => {
    const problem = problemOf(new Error('cannot read /data/DOE^JANE.dcm'))
    expect(problem.status).toBe(500)
    expect(JSON.stringify(problem)).not.toContain('DOE')
  })
})

describe('the problem handler', () => {
  const closing: (() => void)[] = []
  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  async function serve(handler: express.RequestHandler, log: Log): Promise<string> {
    const app = express()
    app.get('/', handler)
    app.use(problemHandler(log))
    const server = app.listen(0, '127.0.0.1')
    closing.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  it('answers application/problem+json, and logs what is the server’s fault', async () => {
    const errors: LogContext[] = []
    const url = await serve(
      () => {
        throw new TypeError('x is undefined')
      },
      { ...silentLog, error: (_sentence, context) => errors.push(context ?? {}) },
    )
    const response = await fetch(url)
    expect(response.status).toBe(500)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 500, code: 'internal-error' })
    expect(errors).toMatchObject([{ status: 500, reason: 'x is undefined' }])
  })

  it('cuts the connection when the answer has begun, so that nobody takes it for whole', async () => {
    const url = await serve(async (_request, response) => {
      response.write('half of it')
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error('the disk is gone')
    }, silentLog)
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated')
  })
})
