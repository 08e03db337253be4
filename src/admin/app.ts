import type { Express, RequestHandler } from 'express'
import express from 'express'
import type { Knex } from 'knex'
import { problemHandler } from '../dicomweb/problem.ts'
import type { Log } from '../log.ts'
import type { SecretBox } from '../store/secret-box.ts'
import { Accounts } from './accounts.ts'
import { adminPage } from './admin-page.ts'
import type { ApiDeps } from './api.ts'
import { adminRouter } from './api.ts'
import { Audit } from './audit.ts'
import type { AuditSource } from './audit-message.ts'
import type { OutletStatus } from './audit-outlets.ts'
import { auditRequests } from './audit-requests.ts'
import { authenticate, redirectToLogin, requirePermission } from './auth.ts'
import { contentSecurity } from './content-security.ts'
import type { CredentialsOptions } from './credentials.ts'
import { Credentials } from './credentials.ts'
import type { Check } from './health.ts'
import { healthz, readyz } from './health.ts'
import { LoginThrottle } from './login-throttle.ts'
import type { NodeMetrics } from './metrics.ts'
import type { OidcSettings } from './oidc.ts'
import { OidcLogin } from './oidc.ts'
import { addresses } from './permissions.ts'
import { refuse } from './refusal.ts'

/** The parts that know who may come in. */
export interface Auth {
  /** AE title of the node, which the page shows. */
  nodeName: string
  accounts: Accounts
  credentials: Credentials
  throttle: LoginThrottle
  audit: Audit
  /** Names the node in the audit's messages. */
  auditSource: AuditSource
  /** How far the audit is written elsewhere. */
  auditOutlets(): Promise<OutletStatus[]>
  /** null: nobody logs in at an OpenID provider. */
  oidc: OidcLogin | null
}

export interface AuthOptions extends CredentialsOptions {
  nodeName?: string
  auditSource?: AuditSource
  auditOutlets?(): Promise<OutletStatus[]>
  /** `box` seals what goes through the browser. */
  oidc?: { settings: OidcSettings; box: SecretBox } | undefined
}

/** Who may come in, and who did what; tokens and the lifetime of sessions come from the settings. */
export function createAuth(knex: Knex, { nodeName, auditSource, auditOutlets, oidc, ...options }: AuthOptions): Auth {
  return {
    nodeName: nodeName ?? 'HILUM',
    accounts: new Accounts(knex, options.now),
    credentials: new Credentials(knex, options),
    throttle: new LoginThrottle(options.now),
    audit: new Audit(knex, options.now),
    auditSource: auditSource ?? { id: 'HILUM' },
    auditOutlets: auditOutlets ?? (() => Promise.resolve([])),
    oidc: oidc ? new OidcLogin({ ...oidc, now: options.now }) : null,
  }
}

/**
 * Judges the name and password of a caller that speaks DICOM, and slows guessing as the login page does. A name is counted with its
 * address: whoever guesses from one machine cannot lock a scanner out that uses the same name on another.
 */
export async function verifyCaller(
  { accounts, throttle }: Pick<Auth, 'accounts' | 'throttle'>,
  { name, password, address }: { name: string; password: string; address: string },
): Promise<boolean> {
  const counted = `${name} over DICOM from ${address}`
  if (throttle.waitSeconds(counted, address) > 0) return false
  throttle.failed(counted, address)
  if ((await accounts.authenticate(name, password)) === null) return false
  throttle.succeeded(counted, address)
  return true
}

export interface AppOptions {
  /** Of the node, for the API's description. */
  version: string
  log: Log
  auth: Auth
  api: Omit<ApiDeps, keyof Auth>
  metrics: NodeMetrics
  /** What /readyz asks, by name. */
  checks: Readonly<Record<string, Check>>
  routers: {
    /** QIDO-RS and WADO-RS, relative to /dicomweb. */
    dicomweb: RequestHandler
    /** STOW-RS, relative to /dicomweb. */
    stow: RequestHandler
    /** OHIF, at the root of the origin: /viewer and whatever its assets ask for. */
    viewer: RequestHandler
  }
  /** express's `trust proxy`: which proxies may say who the caller is and that TLS was used. Default: none. */
  trustProxy?: readonly string[]
}

const asset = /\.[a-z0-9]{2,5}$/i

const dicomweb = { read: addresses['GET /dicomweb'], write: addresses['POST /dicomweb'] }

/** The node's one HTTP origin: health, the administrator's page and API, DICOMweb, the viewer. */
export function createApp(options: AppOptions): Express {
  const { auth, routers } = options
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', [...(options.trustProxy ?? [])])
  app.use(contentSecurity)

  app.get('/healthz', healthz)
  app.get('/readyz', readyz(options.checks))
  app.get('/', (_req, res) => res.redirect(302, '/admin'))
  // The page itself holds nothing: whoever may see something is asked by the API that it calls.
  app.use('/admin', adminPage())

  app.use(authenticate(auth.credentials))
  app.get('/metrics', requirePermission(addresses['GET /metrics']), scrape(options.metrics))
  app.use('/api', adminRouter({ ...options.api, ...auth }, options.version))
  app.use(
    '/dicomweb',
    requirePermission(dicomweb),
    auditRequests(auth.audit, options.log),
    routers.stow,
    routers.dicomweb,
  )
  app.use('/dicomweb', (_req, res) => refuse(res, 404, 'not-found', 'There is no such DICOMweb resource here.'))

  app.use(viewerGuard, routers.viewer)
  app.use((_req, res) => refuse(res, 404, 'not-found', 'There is no such address here.'))
  app.use(problemHandler(options.log))
  return app
}

/**
 * Pages of the viewer need a login, its assets do not: they are a published program without any data in it, and browsers fetch some of
 * them (manifests, workers' modules) without the cookie.
 */
const viewerGuard: RequestHandler = (req, res, next) => {
  if ((req.method === 'GET' || req.method === 'HEAD') && asset.test(req.path)) return next()
  redirectToLogin(req, res, () => requirePermission(addresses['GET /viewer'])(req, res, next))
}

function scrape(metrics: NodeMetrics): RequestHandler {
  return async (_req, res) => {
    const { contentType, text } = await metrics.scrape()
    res.setHeader('Content-Type', contentType)
    res.setHeader('Cache-Control', 'no-store')
    res.send(text)
  }
}
