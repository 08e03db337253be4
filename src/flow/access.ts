import path from 'node:path'
import { setInterval } from 'node:timers'
import type { Knex } from 'knex'
import type { Auth } from '../admin/app.ts'
import { createAuth } from '../admin/app.ts'
import { AuditFile } from '../admin/audit-file.ts'
import type { AuditSource } from '../admin/audit-message.ts'
import type { AuditOutlet } from '../admin/audit-outlets.ts'
import { AuditOutlets } from '../admin/audit-outlets.ts'
import { SyslogOutlet } from '../admin/audit-syslog.ts'
import type { FixedToken } from '../admin/credentials.ts'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { SecretBox } from '../store/secret-box.ts'

export interface AccessParts {
  config: Config
  database: Knex
  /** Of this process, for what it delivers to itself. */
  selfToken: string
  log: Log
}

/** Who may come in, and the audit with where it is written to. */
export interface Access {
  auth: Auth
  /** Says that the node has started, and writes the audit from now on. */
  start(): Promise<void>
  /** Says that the node stops, records what was gathered, and writes what can be written. */
  stop(): Promise<void>
}

/** How often what was gathered for the audit is looked at, ms. */
const sweepMs = 60_000

export function createAccess({ config, database, selfToken, log }: AccessParts): Access {
  const { token, oidc, sessionHours, sessionIdleMinutes } = config.admin
  const source = auditSource(config)
  const outlets = new AuditOutlets({ database, outlets: outletsOf(config, source), log })
  const fixed: FixedToken[] = [
    { name: 'self', token: selfToken, permissions: ['studies.read', 'studies.store'] },
    ...(token ? [{ name: 'bootstrap', token, role: 'administrator' as const }] : []),
  ]
  const auth = createAuth(database, {
    fixed,
    sessionLifetime: sessionHours * 3_600_000,
    sessionIdle: sessionIdleMinutes * 60_000,
    nodeName: config.aeTitle,
    auditSource: source,
    auditOutlets: () => outlets.status(),
    oidc: oidc && { settings: oidc, box: new SecretBox(config.dataDir) },
  })
  const { audit } = auth
  audit.onRecorded(() => outlets.poke())
  let sweeping: NodeJS.Timeout | undefined
  return {
    auth,
    async start() {
      await outlets.start()
      await audit.record({ actor: 'node', action: 'node-start', outcome: 'success' })
      sweeping = setInterval(() => {
        audit.sweep().catch((error: unknown) => {
          log.error('what was gathered for the audit cannot be recorded now', { reason: messageOf(error) })
        })
      }, sweepMs)
      sweeping.unref()
    },
    async stop() {
      if (sweeping === undefined) return // it never started
      clearInterval(sweeping)
      await audit.sweep({ all: true })
      await audit.record({ actor: 'node', action: 'node-stop', outcome: 'success' })
      await outlets.stop()
    },
  }
}

/** How the node calls itself in the audit's messages. */
export function auditSource({ audit, aeTitle }: Pick<Config, 'audit' | 'aeTitle'>): AuditSource {
  return { id: audit.sourceId || aeTitle, site: audit.site || undefined }
}

/** The folder of the audit's files. */
export function auditFolder({ audit, dataDir }: Pick<Config, 'audit' | 'dataDir'>): string {
  return audit.file.folder || path.join(dataDir, 'audit')
}

function outletsOf(config: Config, source: AuditSource): AuditOutlet[] {
  const { file, syslog } = config.audit
  return [
    ...(file.enabled ? [new AuditFile({ folder: auditFolder(config), source, keepDays: file.keepDays })] : []),
    ...(syslog ? [new SyslogOutlet(syslog, source)] : []),
  ]
}
