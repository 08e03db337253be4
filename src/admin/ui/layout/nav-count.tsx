import { useApi } from '../api/use-api.ts'
import { number, plural } from '../words.ts'

/** How much waits for somebody behind an entry of the navigation. */
export function NavCount({ path }: { path: string }) {
  const { data } = useApi('GET /overview', undefined, { every: 60_000 })
  if (!data) return null
  const count = path === '/quarantine' ? data.quarantined : path === '/queue' ? data.failed.jobs : 0
  if (count === 0) return null
  return (
    <span className="nav-count">
      <span aria-hidden>{count > 999 ? '999+' : number(count)}</span>
      <span className="sr-only"> ({path === '/queue' ? plural(count, 'failed job') : plural(count, 'object')})</span>
    </span>
  )
}
