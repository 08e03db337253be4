import { Skeleton } from '@mantine/core'
import { type ReactNode, useSyncExternalStore } from 'react'
import { bytes, duration, exactly, quantity, timeAgo } from '../words.ts'
import './figures.css'

let now = Date.now()
const readers = new Set<() => void>()
let clock: ReturnType<typeof setInterval> | undefined

/** One clock for all times that are shown; it stands still where none is. */
function subscribe(reader: () => void): () => void {
  readers.add(reader)
  if (clock === undefined) now = Date.now()
  clock ??= setInterval(() => {
    now = Date.now()
    for (const one of readers) one()
  }, 5000)
  return () => {
    readers.delete(reader)
    if (readers.size > 0) return
    clearInterval(clock)
    clock = undefined
  }
}

/** ms since the epoch, which goes on by itself. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

/** A time in words, with the exact one to hover over. @param at ISO 8601 */
export function TimeAgo({ at, prefix }: { at: string; prefix?: string }) {
  const current = useNow()
  const words = timeAgo(at, current)
  return (
    <time dateTime={at} title={exactly(at)} className="time">
      {prefix ? `${prefix} ${words}` : words}
    </time>
  )
}

/** An amount of bytes, with the exact number to hover over. */
export function Bytes({ of }: { of: number }) {
  return (
    <span className="nowrap" title={`${of.toLocaleString('en-GB')} bytes`}>
      {bytes(of)}
    </span>
  )
}

/** How long something took. @param ms null: not known, shown as a dash */
export function Duration({ ms }: { ms: number | null | undefined }) {
  if (ms === null || ms === undefined) return <span className="muted">–</span>
  return (
    <span className="nowrap" title={`${ms.toLocaleString('en-GB')} ms`}>
      {duration(ms)}
    </span>
  )
}

/** A measurement with its unit. @param unit UCUM */
export function Quantity({ value, unit }: { value: number; unit: string }) {
  return (
    <span className="nowrap" title={`${value} ${unit}`}>
      {quantity(value, unit)}
    </span>
  )
}

export interface StatProps {
  label: string
  value: ReactNode
  /** Below the number: what it is made of, or compared with. */
  note?: ReactNode
  tone?: 'good' | 'bad' | 'busy' | 'warn' | 'idle'
  loading?: boolean
}

/** A number that matters, with its name. */
export function Stat({ label, value, note, tone, loading = false }: StatProps) {
  return (
    <div className={`stat${tone ? ` tone-${tone}` : ''}`}>
      <div className="stat-label">{label}</div>
      <div className="stat-value">{loading ? <Skeleton height={32} width={90} /> : value}</div>
      <div className="stat-note">{loading ? <Skeleton height={14} width={120} mt={4} /> : note}</div>
    </div>
  )
}
