import { Button, Menu, Skeleton } from '@mantine/core'
import { IconCalendarTime, IconDots, IconDownload, IconFileImport, IconPlus, IconRoute } from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'wouter'
import { addressOf } from '../../api/call.ts'
import type { RouteDraft } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { actorName } from '../../words.ts'
import { CalendarDialog } from '../route/calendar-dialog.tsx'
import { ImportDialog } from './import-dialog.tsx'
import { RouteList } from './route-list.tsx'
import '../route/builder.css'
import './routes.css'

/** The routes in the order in which they are asked; drafts of new ones, and those that were taken out of force. */
export function RoutesPage() {
  const query = useApi('GET /routes')
  const may = useMay()
  const [dialog, setDialog] = useState<'import' | 'calendar' | null>(null)
  return (
    <Page
      title="Routes"
      lead="Which studies go to which pipeline, and where the results go. Each complete study is put to the routes in this order."
      actions={
        <>
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <Button variant="default" aria-label="More" px={10}>
                <IconDots size={18} aria-hidden />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconCalendarTime size={16} aria-hidden />} onClick={() => setDialog('calendar')}>
                Off-peak calendar…
              </Menu.Item>
              <Menu.Item
                component="a"
                href={addressOf('GET /routes/export')}
                leftSection={<IconDownload size={16} aria-hidden />}
              >
                Export all as YAML
              </Menu.Item>
              {may('POST /routes/import') && (
                <Menu.Item leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setDialog('import')}>
                  Import YAML…
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
          {may('POST /routes/{name}/draft') && (
            <Button component={Link} href="/new-route" leftSection={<IconPlus size={16} aria-hidden />}>
              New route
            </Button>
          )}
        </>
      }
    >
      <Answer query={query} skeleton={<Skeleton height={360} radius="lg" />}>
        {({ routes, drafts, retired }) => {
          const isInForce = new Set(routes.map(({ name }) => name))
          const fresh = drafts.filter(({ name }) => !isInForce.has(name))
          return (
            <div className="routes">
              {routes.length === 0 && fresh.length === 0 ? (
                <div className="panel">
                  <Empty
                    icon={IconRoute}
                    title="No route is in force"
                    action={
                      may('POST /routes/{name}/draft') && (
                        <Button
                          component={Link}
                          href="/new-route"
                          mt="sm"
                          leftSection={<IconPlus size={16} aria-hidden />}
                        >
                          Make the first route
                        </Button>
                      )
                    }
                  >
                    Studies are received and kept, and nothing is run on them. A route says which of them go to which
                    pipeline.
                  </Empty>
                </div>
              ) : (
                <RouteList routes={routes} drafts={drafts} />
              )}
              {fresh.length > 0 && <Drafts drafts={fresh} />}
              {retired.length > 0 && (
                <section className="panel routes-others" aria-labelledby="retired-title">
                  <h2 id="retired-title">Taken out of force</h2>
                  <ul>
                    {retired.map(({ name, version, definition }) => (
                      <li key={name}>
                        <Link href={`/routes/${name}?tab=versions`}>{name}</Link>
                        <span className="muted">
                          last version {version}
                          {definition.description && `, ${definition.description}`}
                        </span>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
            </div>
          )
        }}
      </Answer>
      {dialog === 'import' && <ImportDialog onClose={() => setDialog(null)} />}
      {dialog === 'calendar' && <CalendarDialog onClose={() => setDialog(null)} />}
    </Page>
  )
}

function Drafts({ drafts }: { drafts: readonly RouteDraft[] }) {
  return (
    <section className="panel routes-others" aria-labelledby="drafts-title">
      <h2 id="drafts-title">Drafts of new routes</h2>
      <ul>
        {drafts.map(({ name, updatedBy, updatedAt, definition }) => (
          <li key={name}>
            <Link href={`/routes/${name}`}>{name}</Link>
            <StateBadge state="draft" />
            <span className="muted">
              {definition.description ? `${definition.description} ` : ''}
              {actorName(updatedBy)}, <TimeAgo at={updatedAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
