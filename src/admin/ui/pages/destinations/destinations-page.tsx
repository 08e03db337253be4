import { Button, Skeleton } from '@mantine/core'
import { IconPlus, IconSend } from '@tabler/icons-react'
import { useState } from 'react'
import type { Destination } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { CertificatesSection } from './certificates-section.tsx'
import { DestinationCard } from './destination-card.tsx'
import { DestinationDialog } from './destination-dialog.tsx'
import './destinations.css'

/** Where results go, how that went lately, and the certificates that it depends on. */
export function DestinationsPage() {
  const may = useMay()
  const query = useApi('GET /destinations', undefined, { every: 30_000 })
  const [edited, setEdited] = useState<Destination | 'new' | null>(null)
  const add = may('destinations.manage') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEdited('new')}>
      Add a destination
    </Button>
  )
  return (
    <Page
      title="Destinations"
      lead="Where results are delivered; a route names the ones that get its results."
      actions={add}
    >
      <div className="destinations">
        <Answer query={query} skeleton={<Skeleton height={280} radius="lg" />}>
          {({ destinations }) =>
            destinations.length === 0 ? (
              <div className="panel">
                <Empty icon={IconSend} title="There is no destination yet">
                  Add the archive that shall get the results.
                </Empty>
              </div>
            ) : (
              <ul className="destinations-list">
                {destinations.map((destination) => (
                  <DestinationCard
                    key={destination.name}
                    destination={destination}
                    onEdit={() => setEdited(destination)}
                  />
                ))}
              </ul>
            )
          }
        </Answer>
        <CertificatesSection />
      </div>
      {edited !== null && (
        <DestinationDialog before={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />
      )}
    </Page>
  )
}
