import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootstrapToken, RunningApp } from './running-app.ts'

let app: RunningApp

beforeEach(async () => {
  app = await new RunningApp().start()
})

afterEach(() => app.stop())

/** A client of the event stream: everything that came so far, and a wait for more. */
async function listen(): Promise<{ until(text: string): Promise<string>; end(): void; stream: IncomingMessage }> {
  const request = get(`${app.url}/api/events`, { headers: { authorization: `Bearer ${bootstrapToken}` } })
  const [stream] = (await once(request, 'response')) as [IncomingMessage]
  stream.setEncoding('utf8')
  let seen = ''
  stream.on('data', (text: string) => {
    seen += text
  })
  return {
    stream,
    end: () => void request.destroy(),
    async until(text) {
      while (!seen.includes(text)) await once(stream, 'data')
      return seen
    },
  }
}

describe('the stream of events', () => {
  it('tells each change once, however often it was published in the same moment', async () => {
    const client = await listen()
    await client.until('event: ready')
    for (let i = 0; i < 50; i++) app.hub.publish({ kind: 'study', studyInstanceUID: '1.2.3' })
    app.hub.publish({ kind: 'job', studyInstanceUID: '1.2.3' })
    const seen = await client.until('event: job')
    expect(seen.match(/event: study/g)).toHaveLength(1)
    expect(seen).toContain('data: {"studyInstanceUID":"1.2.3"}')
    client.end()
  })

  it('tells a client that is far behind to ask for everything anew, and keeps no more for it', async () => {
    const client = await listen()
    await client.until('event: ready')
    for (let i = 0; i < 2000; i++) app.hub.publish({ kind: 'study', studyInstanceUID: `1.2.${i}` })
    const seen = await client.until('event: resync')
    expect(seen).not.toContain('event: study')
    app.hub.publish({ kind: 'study', studyInstanceUID: '9.9' })
    await client.until('"9.9"')
    client.end()
  })

  it('forgets a client that has gone, and ends the others when it closes', async () => {
    const [gone, stays] = [await listen(), await listen()]
    expect(app.hub.clients).toBe(2)
    gone.end()
    while (app.hub.clients > 1) await new Promise((resolve) => setImmediate(resolve))
    const ended = once(stays.stream, 'end')
    app.hub.close()
    await ended
    expect((await app.fetch('/api/events')).status).toBe(503)
  })
})
