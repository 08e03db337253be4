import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Auth } from '../../src/admin/app.ts'
import { createApp, createAuth } from '../../src/admin/app.ts'
import { EventHub } from '../../src/admin/events.ts'
import type { Check } from '../../src/admin/health.ts'
import { databaseCheck } from '../../src/admin/health.ts'
import { NodeMetrics } from '../../src/admin/metrics.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'

export const bootstrapToken = 'bootstrap-token-of-the-tests'

const page: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' && req.path === '/viewer') res.type('html').send('<!doctype html><title>viewer</title>')
  else if (req.path === '/app.bundle.js') res.type('js').send('')
  else next()
}

const echo: RequestHandler = (req, res) => void res.json({ method: req.method, path: req.path })

/** The real application on a port of its own, with a real database; only what the other stages give is made up. */
export class RunningApp {
  readonly dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-admin-'))
  readonly hub = new EventHub({ coalesceMs: 10 })
  readonly checks: Record<string, Check> = {}
  readonly completed: string[] = []
  knex!: Knex
  auth!: Auth
  url = ''
  now: () => Date = () => new Date()
  /** Milliseconds; the default where it is undefined. */
  sessionLifetime: number | undefined
  #server!: Server

  async start(port = 0): Promise<this> {
    this.knex = await openDatabase({ url: '', dataDir: this.dataDir, log: silentLog })
    await migrate(this.knex)
    mkdirSync(path.join(this.dataDir, 'quarantine'))
    this.auth = createAuth(this.knex, {
      fixed: [{ name: 'bootstrap', token: bootstrapToken, role: 'administrator' }],
      sessionLifetime: this.sessionLifetime,
      now: () => this.now(),
    })
    this.checks.database = databaseCheck(this.knex)
    const queue = new JobQueue({ database: this.knex })
    const app = createApp({
      version: '0.1.0',
      log: silentLog,
      trustProxy: ['loopback'],
      auth: this.auth,
      metrics: new NodeMetrics({ knex: this.knex, dataDir: this.dataDir }),
      checks: this.checks,
      routers: { dicomweb: echo, stow: (_req, _res, next) => next(), viewer: page },
      api: {
        knex: this.knex,
        hub: this.hub,
        quarantineFolder: path.join(this.dataDir, 'quarantine'),
        complete: async (uid) => {
          const study = await this.knex('studies').where({ study_instance_uid: uid }).first('id')
          if (study) this.completed.push(uid)
          return study ? 'complete by an operator' : null
        },
        retryJob: (id, by) => queue.retry(id, by),
        testRoutes: async () => null,
        listPipelines: async () => [],
        destinations: {
          list: () => [{ name: 'self', kind: 'self', url: 'http://127.0.0.1/dicomweb' }],
          test: async (name) =>
            name === 'self'
              ? {
                  destination: name,
                  url: 'http://127.0.0.1/dicomweb',
                  ok: true,
                  ms: 3,
                  sentence: 'QIDO-RS lists studies',
                }
              : null,
        },
        remotes: { unknownCallers: 'loopback', configured: [] },
      },
    })
    await new Promise<void>((resolve) => {
      this.#server = app.listen(port, '127.0.0.1', () => resolve())
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.hub.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.knex.destroy()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** A request with the bootstrap token, unless the options say otherwise. */
  fetch(where: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> {
    const { token = bootstrapToken, ...rest } = init
    const headers = new Headers(rest.headers)
    if (token !== null) headers.set('authorization', `Bearer ${token}`)
    if (rest.body) headers.set('content-type', 'application/json')
    return fetch(new URL(where, this.url), { redirect: 'manual', ...rest, headers })
  }

  post(where: string, body: unknown, init: RequestInit & { token?: string | null } = {}): Promise<Response> {
    return this.fetch(where, { ...init, method: 'POST', body: JSON.stringify(body) })
  }
}
