import { Link, useRoute } from 'wouter'
import { useMay } from '../api/session.tsx'
import { navGroups, type PageEntry, pages } from '../pages.ts'
import { NavCount } from './nav-count.tsx'

/** The pages that somebody may see, by group. */
export function Navigation() {
  const may = useMay()
  const shown = pages.filter((entry) => entry.nav && may(entry.needs))
  return (
    <nav aria-label="Pages" className="nav">
      {navGroups.map((group) => {
        const entries = shown.filter(({ nav }) => nav?.group === group)
        if (entries.length === 0) return null
        return (
          <div key={group}>
            <div className="nav-group" id={`nav-${group}`}>
              {group}
            </div>
            <ul aria-labelledby={`nav-${group}`}>
              {entries.map((entry) => (
                <Item key={entry.path} entry={entry} />
              ))}
            </ul>
          </div>
        )
      })}
    </nav>
  )
}

function Item({ entry: { path, nav } }: { entry: PageEntry }) {
  const [isHere] = useRoute(path)
  const [isBelow] = useRoute(path === '/' ? '/__' : `${path}/*`)
  if (!nav) return null
  const Icon = nav.icon
  return (
    <li>
      <Link href={path} className="nav-item" aria-current={isHere || isBelow ? 'page' : undefined}>
        <Icon size={19} stroke={1.6} aria-hidden />
        <span>{nav.label}</span>
        <NavCount path={path} />
      </Link>
    </li>
  )
}
