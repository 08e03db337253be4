import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'

/** What was counted of a remote. */
interface Counted {
  associations: number
  refused: number
  instances: number
  bytes: number
  rejected: number
  lastSeenAt: string | null
}

/** The configured remotes, and what each of them sent; the AE title '' gives what all other callers did. */
export interface CountedRemotes {
  list(): { aeTitle: string }[]
  counters: { traffic(): Promise<(aeTitle: string) => Counted> }
}

const counted = {
  associations: ['remote_associations_total', 'Associations of a remote'],
  refused: ['remote_refused_total', 'Associations of a remote that were refused'],
  instances: ['remote_instances_total', 'Instances received from a remote'],
  bytes: ['remote_bytes_total', 'Bytes of the instances received from a remote'],
  rejected: ['remote_rejected_total', 'Instances of a remote that were refused'],
} as const

const everybodyElse = 'unconfigured callers'

/**
 * Adds what each remote sent, asked for when a scrape comes. Labels are the AE titles of remotes, and one that is too long
 * to be an AE title for everybody else: what a caller makes up is never a label.
 */
export function collectRemotes(registry: Registry, remotes: CountedRemotes): void {
  const registers = [registry]
  let asked: ReturnType<CountedRemotes['counters']['traffic']> | null = null
  /** One question for all the metrics of a scrape: they are collected at the same time. */
  const ask = () => {
    asked ??= remotes.counters.traffic().finally(() => {
      asked = null
    })
    return asked
  }
  const rows = async (): Promise<[remote: string, counted: Counted][]> => {
    const trafficOf = await ask()
    return [...remotes.list(), { aeTitle: '' }].map(({ aeTitle }) => [aeTitle || everybodyElse, trafficOf(aeTitle)])
  }
  for (const [what, [name, help]] of Object.entries(counted) as [keyof typeof counted, [string, string]][]) {
    new Counter({
      name: `hilum_${name}`,
      help,
      labelNames: ['remote'],
      registers,
      async collect() {
        const now = await rows()
        this.reset()
        for (const [remote, traffic] of now) this.inc({ remote }, traffic[what])
      },
    })
  }
  new Gauge({
    name: 'hilum_remote_last_seen_timestamp_seconds',
    help: 'When a remote last opened an association or sent something',
    labelNames: ['remote'],
    registers,
    async collect() {
      const now = await rows()
      this.reset()
      for (const [remote, { lastSeenAt }] of now)
        if (lastSeenAt !== null) this.set({ remote }, Date.parse(lastSeenAt) / 1000)
    },
  })
}
