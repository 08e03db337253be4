import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { Notifier } from '../notify/notifier.ts'
import { type Raised, raise } from '../notify/raise.ts'
import type { SpaceReading, SpaceState } from '../store/free-space.ts'
import type { DriftChange } from '../store/insights/drift-evaluations.ts'
import type { SecretBox } from '../store/secret-box.ts'
import { Notifications } from './notifications.ts'
import { openTarget } from './notify-secrets.ts'

export interface NotifyingParts {
  config: Pick<Config, 'aeTitle' | 'dataDir' | 'notify'>
  database: Knex
  box: SecretBox
  log: Log
  /** Told when something was sent, or was given up. */
  onChange: () => void
}

export interface Notifying {
  notifier: Notifier
  notifications: Notifications
  tellDisk(now: Pick<SpaceReading, 'state'>, before: SpaceState): void
  tellDrift(change: DriftChange): void
}

/** What sends notifications, what the API does with them, and what is told outside of any transaction. */
export function createNotifying({ config, database, box, log, onChange }: NotifyingParts): Notifying {
  const { aeTitle: node, dataDir } = config
  const secrets = { box, dataDir, env: process.env }
  const general = { database, node, allowLocal: config.notify.allowLocal, publicUrl: config.notify.publicUrl }
  const notifier = new Notifier({ ...general, log, onChange, open: (row) => openTarget(row, secrets) })
  const tell = (raised: Raised): void => {
    raise(database, raised)
      .then((isTold) => void (isTold && notifier.poke()))
      .catch((error: unknown) =>
        log.error('something cannot be told', { event: raised.event, reason: messageOf(error) }),
      )
  }
  return {
    notifier,
    notifications: new Notifications({ ...general, secrets, onChange: () => notifier.poke() }),
    tellDisk: ({ state }, before) =>
      tell({
        event: 'disk',
        at: new Date().toISOString(),
        urgent: state === 'refuse' || state === 'emergency',
        detail: { sentence: diskSentences[state], reason: `${before}, then ${state}` },
      }),
    tellDrift: ({ pipeline, version, after, measures }) =>
      tell({
        event: 'drift',
        at: new Date().toISOString(),
        detail: {
          sentence: `drift of ${pipeline} ${version ?? ''}: ${after}`,
          pipeline,
          reason: measures
            .slice(0, 10)
            .map(({ label, verdict }) => `${label}: ${verdict}`)
            .join('; '),
        },
      }),
  }
}

const diskSentences: Readonly<Record<SpaceState, string>> = {
  enough: 'there is enough disk space again',
  warn: 'disk space is getting low',
  refuse: 'disk space is low: no instance is taken in',
  emergency: 'disk space is nearly used up',
}
