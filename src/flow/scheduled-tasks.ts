import type { Knex } from 'knex'
import { Audit } from '../admin/audit.ts'
import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { raise } from '../notify/raise.ts'
import { verifyChain } from '../store/audit-chain.ts'
import { auditFolder } from './access.ts'
import { anchorsIn } from './audit-anchors.ts'
import { type CertificatesOptions, watchedCertificates } from './certificates.ts'
import type { Hints } from './hints.ts'
import { keepHouse } from './housekeeping.ts'
import type { Insights } from './insights.ts'
import { postponeOffPeak } from './off-peak.ts'
import type { Retention } from './retention.ts'
import type { Task } from './schedules.ts'
import { watch } from './watch.ts'
import { weeklyReport } from './weekly-report.ts'

export interface ScheduledParts {
  config: Config
  database: Knex
  hints: Pick<Hints, 'expire'>
  retention: Pick<Retention, 'run'>
  insights: Pick<Insights, 'evaluateDrift'>
  remotes: CertificatesOptions['remotes']
  destinations: () => string[]
}

/** The task of a retention rule. */
export function retentionTask(rule: string): string {
  return `retention-${rule}`
}

/** Everything of the node that runs by schedule. */
export function scheduledTasks(parts: ScheduledParts): Task[] {
  const { config, database, hints, retention, insights, remotes, destinations } = parts
  return [
    {
      name: 'housekeeping',
      title: 'Housekeeping',
      description:
        'Forgets sessions that have expired, announcements of studies that never came, and old notifications.',
      cron: '17 3 * * *',
      enabled: true,
      run: () => keepHouse(database, hints, new Date()),
    },
    ...config.retention.map(
      (rule): Task => ({
        name: retentionTask(rule.name),
        title: `Retention: ${rule.name}`,
        description: `Deletes studies older than ${rule.olderThanDays} days that are proven to be elsewhere.`,
        cron: rule.schedule,
        enabled: true,
        run: async () => {
          const runs = await retention.run({ rule: rule.name, dryRun: false, actor: 'retention' })
          return runs
            .map(
              ({ studies, deleted, stopped }) =>
                `${deleted} of ${studies} studies deleted${stopped === null ? '' : `; ${stopped}`}`,
            )
            .join('; ')
        },
      }),
    ),
    {
      name: 'off-peak',
      title: 'Off-peak window',
      description:
        'At the end of a window of the calendar, jobs of off-peak routes that have not begun wait for the next.',
      cron: '* * * * *',
      enabled: true,
      quiet: true,
      run: async () => `${await postponeOffPeak(database, new Date())} jobs wait for the next window`,
    },
    {
      name: 'watch',
      title: 'Watch',
      description: 'Looks for what is to be told: new and late studies, quarantine, destinations that are down.',
      cron: '*/10 * * * * *',
      enabled: true,
      quiet: true,
      run: async () => `${await watch({ database, destinations, now: new Date() })} events`,
    },
    {
      name: 'certificates',
      title: 'Certificates',
      description: 'Tells of certificates of the listener, the destinations and the peers that expire within 30 days.',
      cron: '0 6 * * *',
      enabled: true,
      run: () => tellCertificates(database, { config, database, remotes }),
    },
    {
      name: 'audit-verification',
      title: 'Audit verification',
      description: 'Whether an entry of the audit was changed, removed or put in.',
      cron: '0 4 * * 0',
      enabled: true,
      run: () => verifyAudit(config, database),
    },
    {
      name: 'drift',
      title: 'Drift',
      description: 'Compares inputs and findings of each pipeline with their reference.',
      cron: '30 4 * * *',
      enabled: true,
      run: async () => {
        const changes = await insights.evaluateDrift()
        return changes.length === 0
          ? 'no verdict has changed'
          : changes.map(({ pipeline, after }) => `${pipeline}: ${after}`).join('; ')
      },
    },
    {
      name: 'report',
      title: 'Weekly report',
      description: 'The numbers of the week, with pictures, for those who subscribe to the event report.',
      cron: '0 7 * * 1',
      enabled: true,
      run: async () => {
        const detail = await weeklyReport(database, new Date())
        const isTold = await raise(database, { event: 'report', at: new Date().toISOString(), detail })
        return isTold ? detail.sentence : 'nobody subscribes to it'
      },
    },
  ]
}

/** Certificates are told of once for each of these many days that are left. */
const steps = [0, 1, 7, 14, 30] as const

async function tellCertificates(database: Knex, options: CertificatesOptions): Promise<string> {
  const all = await watchedCertificates(options)
  const bad = all.filter(({ problem }) => problem !== null)
  for (const { where, certificate, problem } of bad) {
    const step = certificate === null ? 'unreadable' : (steps.find((days) => certificate.daysLeft < days) ?? 30)
    await raise(database, {
      event: 'certificate',
      at: new Date().toISOString(),
      once: `certificate:${where.slice(0, 120)}:${certificate?.fingerprint.replaceAll(':', '').slice(0, 32) ?? ''}:${step}`,
      detail: { sentence: `certificate (${where}): ${problem ?? ''}` },
    })
  }
  return `${all.length} certificates, ${bad.length} that want looking after`
}

/** @throws HilumError `audit-tampered` */
async function verifyAudit(config: Config, database: Knex): Promise<string> {
  const { anchors, files, problems: inFiles } = await anchorsIn(auditFolder(config))
  const { entries, problems } = await verifyChain(database, anchors)
  const all = [...inFiles, ...problems]
  const outcome = all.length === 0 ? 'success' : 'failure'
  await new Audit(database).record({ actor: 'node', action: 'audit-verify', outcome })
  if (all.length > 0) throw new HilumError('audit-tampered', `${all.length} problems; the first: ${all[0]?.problem}`)
  return `${entries} entries and ${files} files: nothing was changed, removed or put in`
}
