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
import type { OidcSettings } from '../../src/admin/oidc.ts'
import type { Config, ConfigInput } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { createDestinations } from '../../src/deliver/destinations.ts'
import { destinationOptions } from '../../src/flow/destination-options.ts'
import { Insights } from '../../src/flow/insights.ts'
import { InstalledPipelines } from '../../src/flow/installed-pipelines.ts'
import { NodeControl } from '../../src/flow/node-control.ts'
import { createNotifying } from '../../src/flow/notifying.ts'
import { Remotes } from '../../src/flow/remotes.ts'
import { Replays } from '../../src/flow/replays.ts'
import { Retention } from '../../src/flow/retention.ts'
import { routeTrials } from '../../src/flow/route-trials.ts'
import { routesApi } from '../../src/flow/routes-api.ts'
import { Schedules } from '../../src/flow/schedules.ts'
import { JobProgress } from '../../src/jobs/progress.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { IndexWriter } from '../../src/receive/index-writer.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import { QuarantineActs } from '../../src/receive/quarantine-acts.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { FreeSpace } from '../../src/store/free-space.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { routeActivity } from '../../src/store/route-activity.ts'
import { SecretBox } from '../../src/store/secret-box.ts'

export const bootstrapToken = 'bootstrap-token-of-the-tests'

const callers = {
  aeTitle: 'HILUM',
  dimse: { unknownCallers: 'loopback', acceptAnyCalledAETitle: false },
  remotes: [{ aeTitle: 'CT1', addresses: ['10.0.0.5'], may: ['store'], port: 104 }],
} as unknown as Config
const keepForever = {
  name: 'never',
  schedule: '30 2 * * *',
  olderThanDays: 0,
  states: ['done' as const],
  verifiedAt: [],
  storedAt: [],
  belowFree: 0,
}

const ct = { name: 'ct', kind: 'volume', from: 'study' as const, required: true }
const knownToRoutes = { pipelines: [{ name: 'known', inputs: [ct], outputs: [] }], destinations: ['self'] }

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
  remotes!: Remotes
  retention!: Retention
  /** What people see of the node and do with it. */
  control!: NodeControl
  readonly progress = new JobProgress()
  pipelines = new InstalledPipelines([])
  /** Settings beside the defaults. */
  settings: ConfigInput = {}
  readonly replays = new Replays({ database: { url: '', dataDir: this.dataDir }, log: silentLog })
  now: () => Date = () => new Date()
  /** Milliseconds; the default where it is undefined. */
  sessionLifetime: number | undefined
  /** Where it is set, people log in there too. */
  oidc: OidcSettings | undefined
  #server!: Server

  async start(port = 0): Promise<this> {
    this.knex = await openDatabase({ url: '', dataDir: this.dataDir, log: silentLog })
    await migrate(this.knex)
    mkdirSync(path.join(this.dataDir, 'quarantine'))
    this.auth = createAuth(this.knex, {
      fixed: [{ name: 'bootstrap', token: bootstrapToken, role: 'administrator' }],
      sessionLifetime: this.sessionLifetime,
      now: () => this.now(),
      oidc: this.oidc && { settings: this.oidc, box: new SecretBox(this.dataDir) },
    })
    this.checks.database = databaseCheck(this.knex)
    const database = this.knex
    this.remotes = new Remotes({ config: callers, database, log: silentLog })
    this.retention = new Retention({
      rules: [keepForever],
      database,
      objects: new DiskObjects(this.dataDir),
      destinations: { get: () => undefined },
      own: { host: '127.0.0.1', port: 8080 },
      free: () => 0,
      log: silentLog,
    })
    this.control = await this.#startControl()
    const app = createApp({
      version: '0.1.0',
      log: silentLog,
      trustProxy: ['loopback'],
      auth: this.auth,
      metrics: new NodeMetrics({ knex: this.knex, dataDir: this.dataDir, remotes: this.remotes }),
      checks: this.checks,
      routers: { dicomweb: echo, stow: (_req, _res, next) => next(), viewer: page },
      api: {
        knex: this.knex,
        routeActivity: (days) => routeActivity(this.knex, days, new Date()),
        objects: new DiskObjects(this.dataDir),
        hub: this.hub,
        quarantineFolder: path.join(this.dataDir, 'quarantine'),
        quarantine: this.#quarantine(),
        folders: () => [],
        complete: async (uid) => {
          const study = await this.knex('studies').where({ study_instance_uid: uid }).first('id')
          if (study) this.completed.push(uid)
          return study ? 'complete by an operator' : null
        },
        routes: routesApi({ database: this.knex, known: () => knownToRoutes }),
        routeTrials: routeTrials({ database: this.knex, replays: this.replays, poke: () => {} }),
        ...this.control.api,
        verifyReport: async () => null,
        insights: new Insights({
          database,
          settings: loadConfig({ file: null, env: {}, overrides: this.settings }).insights,
          patientKey: () => null,
          log: silentLog,
          onDrift: () => this.hub.publish({ kind: 'drift' }),
          now: () => this.now(),
        }),
        notifications: createNotifying({
          config: loadConfig({ file: null, env: {}, overrides: { dataDir: this.dataDir, ...this.settings } }),
          database,
          box: new SecretBox(this.dataDir),
          log: silentLog,
          onChange: () => {},
        }).notifications,
        schedules: new Schedules({ database, log: silentLog, tasks: [] }),
        remotes: this.remotes,
        retention: this.retention,
        space: new FreeSpace({ folder: this.dataDir, marks: { warnFree: 3, minimumFree: 2, emergencyFree: 1 } }),
      },
    })
    await new Promise<void>((resolve) => {
      this.#server = app.listen(port, '127.0.0.1', () => resolve())
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async #startControl(): Promise<NodeControl> {
    const { dataDir, hub, knex: database, remotes } = this
    const self = { url: 'http://127.0.0.1:9/dicomweb', token: 'token-of-the-node' }
    const overrides = { dataDir, pipelines: { folder: path.join(dataDir, 'pipelines') }, ...this.settings }
    const config = loadConfig({ file: null, env: {}, overrides })
    const destinations = createDestinations(destinationOptions(config), self)
    const control = new NodeControl({
      config,
      version: '0.1.0',
      database,
      objects: new DiskObjects(dataDir),
      queue: new JobQueue({ database, now: () => this.now() }),
      progress: this.progress,
      pipelines: this.pipelines,
      destinations,
      remotes,
      self,
      hub,
      space: new FreeSpace({ folder: dataDir, marks: { warnFree: 3, minimumFree: 2, emergencyFree: 1 } }),
      box: new SecretBox(dataDir),
      log: silentLog,
      receiving: () => null,
      work: () => null,
      now: () => this.now(),
    })
    await control.start()
    return control
  }

  #quarantine(): QuarantineActs {
    const { dataDir, hub, knex: database } = this
    const incoming = new IncomingFolder({ dataDir, sync: false, minimumFreeBytes: 0 })
    const objects = new DiskObjects(dataDir)
    const indexer = new Indexer({ database, objects, incomingFolder: incoming.folder, log: silentLog })
    return new QuarantineActs({
      database,
      incoming,
      indexWriter: new IndexWriter({ indexer, log: silentLog }),
      onChanged: () => hub.publish({ kind: 'quarantine' }),
      log: silentLog,
    })
  }

  async stop(): Promise<void> {
    await this.remotes.stop()
    await this.replays.stop()
    await this.control.stop()
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
