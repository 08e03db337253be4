import { Button, Skeleton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { RefusedSection } from './refused-section.tsx'
import { RemoteDialog } from './remote-dialog.tsx'
import { RemotesTable } from './remotes-table.tsx'
import './senders.css'

/** Callers that are no remotes, by the setting `dimse.unknownCallers`. */
const others: Readonly<Record<string, string>> = {
  loopback: 'Callers that are not listed here are accepted from this machine only.',
  reject: 'Callers that are not listed here are refused.',
  accept: 'Callers that are not listed here are accepted too, and may send.',
}

/** Who may call, what each sent, and who was refused: one press admits a scanner. */
export function SendersPage() {
  const query = useApi('GET /remotes')
  const may = useMay()
  const [isAdding, adding] = useDisclosure(false)
  return (
    <Page
      title="Senders"
      lead={query.data ? (others[query.data.unknownCallers] ?? ' ') : ' '}
      actions={
        may('remotes.manage') && (
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
            Add a sender
          </Button>
        )
      }
    >
      <Answer query={query} skeleton={<Skeleton height={320} radius="lg" />}>
        {({ refused, configured }) => (
          <div className="senders">
            <RefusedSection refused={refused} />
            <RemotesTable remotes={configured} />
          </div>
        )}
      </Answer>
      {isAdding && <RemoteDialog before={null} onClose={adding.close} />}
    </Page>
  )
}
