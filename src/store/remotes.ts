import type { Knex } from 'knex'
import { insertRows } from './insert-rows.ts'

/** What a remote may do here. */
export type RemotePermission = 'store' | 'query' | 'retrieve'

/** An application that may call, and that may be called. */
export interface Remote {
  aeTitle: string
  /** Addresses, or blocks of them, that it may call from; empty: any. */
  addresses: string[]
  may: RemotePermission[]
  /** Where it listens; null: not known, or nowhere. */
  host: string | null
  port: number
  /** Paths of PEM files; null: called without TLS. */
  tls: { ca?: string; certificate?: string; key?: string } | null
}

interface RemoteRow {
  ae_title: string
  addresses: string
  may: string
  host: string | null
  port: number
  tls: string | null
}

/** The remotes that were added while the node ran, by AE title. */
export async function storedRemotes(database: Knex): Promise<Remote[]> {
  const rows = await database('remotes')
    .select<RemoteRow[]>('ae_title', 'addresses', 'may', 'host', 'port', 'tls')
    .orderBy('ae_title')
  return rows.map((row) => ({
    aeTitle: row.ae_title,
    addresses: JSON.parse(row.addresses) as string[],
    may: JSON.parse(row.may) as RemotePermission[],
    host: row.host,
    port: row.port,
    tls: row.tls === null ? null : (JSON.parse(row.tls) as Remote['tls']),
  }))
}

/** Adds a remote. @returns false where one of that AE title is there already */
export async function insertRemote(
  database: Knex,
  remote: Remote,
  by: { at: string; author: string },
): Promise<boolean> {
  const { at, author } = by
  const added = await database('remotes')
    .insert({ ae_title: remote.aeTitle, ...columnsOf(remote), author, created_at: at, updated_at: at })
    .onConflict('ae_title')
    .ignore()
    .returning('ae_title')
  return added.length > 0
}

/** Puts a definition in place of a remote's earlier one. @returns false where there is none */
export async function updateRemote(
  database: Knex,
  remote: Remote,
  by: { at: string; author: string },
): Promise<boolean> {
  const values = { ...columnsOf(remote), author: by.author, updated_at: by.at }
  return (await database('remotes').where({ ae_title: remote.aeTitle }).update(values)) > 0
}

/** Removes a remote. @returns false where there is none */
export async function deleteRemote(database: Knex, aeTitle: string): Promise<boolean> {
  return (await database('remotes').where({ ae_title: aeTitle }).delete()) > 0
}

function columnsOf({ addresses, may, host, port, tls }: Remote) {
  return {
    addresses: JSON.stringify(addresses),
    may: JSON.stringify(may),
    host,
    port,
    tls: tls === null ? null : JSON.stringify(tls),
  }
}

/** What came from a remote in some time. */
export interface RemoteCounts {
  associations: number
  /** Associations. */
  refused: number
  instances: number
  bytes: number
  /** Instances. */
  rejected: number
}

/** Counts to be added to a remote's day. */
export interface CountedDay extends RemoteCounts {
  /** Empty: the callers that are no remotes. */
  aeTitle: string
  /** `YYYY-MM-DD`, UTC. */
  day: string
  /** ISO 8601 UTC. */
  lastSeenAt: string
}

const counted = ['associations', 'refused', 'instances', 'bytes', 'rejected'] as const

/** Adds counts to the remotes' days, in one statement. */
export async function addCounts(database: Knex, days: readonly CountedDay[]): Promise<void> {
  const sums = counted.map((column) => `"${column}" = "remote_days"."${column}" + excluded."${column}"`)
  await insertRows(database, {
    table: 'remote_days',
    columns: ['ae_title', 'day', 'last_seen_at', ...counted],
    rows: days.map((one) => [one.aeTitle, one.day, one.lastSeenAt, ...counted.map((column) => one[column])]),
    suffix: `on conflict ("ae_title", "day") do update set "last_seen_at" = excluded."last_seen_at", ${sums.join(', ')}`,
  })
}

/** What a remote has sent since it is counted, and when it was last seen (ISO 8601 UTC). */
export interface RemoteTotals extends RemoteCounts {
  lastSeenAt: string | null
}

/** The sums of all days by AE title. */
export async function countTotals(database: Knex): Promise<Map<string, RemoteTotals>> {
  const rows: (RemoteTotals & { aeTitle: string })[] = await database('remote_days')
    .groupBy('ae_title')
    .select('ae_title as aeTitle')
    .sum(Object.fromEntries(counted.map((column) => [column, column])))
    .max('last_seen_at as lastSeenAt')
  return new Map(rows.map(({ aeTitle, ...totals }) => [aeTitle, totals]))
}

/** Forgets what was counted before a day (`YYYY-MM-DD`). */
export async function forgetDays(database: Knex, before: string): Promise<void> {
  await database('remote_days').where('day', '<', before).delete()
}
