import { Button, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import {
  IconArrowsSplit2,
  IconChecks,
  IconChevronDown,
  IconCpu,
  IconPlayerPlay,
  IconSend,
  IconShare2,
  IconTrash,
} from '@tabler/icons-react'
import { lazy, Suspense } from 'react'
import { useLocation } from 'wouter'
import { sentenceOf } from '../../api/problem.ts'
import type { Timeline } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { personName, plural } from '../../words.ts'
import { currentResults } from './names.ts'

const RunDialog = lazy(async () => ({ default: (await import('./run-dialog.tsx')).RunDialog }))
const DeliverDialog = lazy(async () => ({ default: (await import('./deliver-dialog.tsx')).DeliverDialog }))

/** The first letter large and a full stop: a sentence of the node, as it is said here. */
export function asSentence(text: string): string {
  const begun = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

const stages = [
  { from: 'route', label: 'Again from the routes', icon: IconArrowsSplit2 },
  { from: 'infer', label: 'Again from the pipelines', icon: IconCpu },
  { from: 'deliver', label: 'Again from the deliveries', icon: IconSend },
] as const

/** What can be done with the study, as far as somebody may. */
export function ActsMenu({ timeline }: { timeline: Timeline }) {
  const may = useMay()
  const acts = useActs(timeline)
  const [runs, running] = useDisclosure(false)
  const [delivers, delivering] = useDisclosure(false)
  const mayAct = may('studies.act')
  const mayDelete = may('studies.delete')
  if (!mayAct && !mayDelete) return null
  const isOpen = timeline.completion === null || timeline.state === 'receiving'
  const hasResults = currentResults(timeline).length > 0
  return (
    <>
      <Menu position="bottom-end" width={250}>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={15} aria-hidden />} loading={acts.isBusy}>
            Actions
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {mayAct && (
            <>
              {isOpen && (
                <Menu.Item leftSection={<IconChecks size={16} aria-hidden />} onClick={acts.complete}>
                  Complete now
                </Menu.Item>
              )}
              <Menu.Item leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={running.open}>
                Run a pipeline…
              </Menu.Item>
              <Menu.Item
                leftSection={<IconShare2 size={16} aria-hidden />}
                onClick={delivering.open}
                disabled={!hasResults}
              >
                Deliver elsewhere…
              </Menu.Item>
              <Menu.Divider />
              {stages.map(({ from, label, icon: Icon }) => (
                <Menu.Item
                  key={from}
                  leftSection={<Icon size={16} aria-hidden />}
                  disabled={timeline.completion === null || (from === 'deliver' && !hasResults)}
                  onClick={() => acts.retry(from)}
                >
                  {label}
                </Menu.Item>
              ))}
            </>
          )}
          {mayDelete && (
            <>
              {mayAct && <Menu.Divider />}
              <Menu.Item
                className="study-delete"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => void acts.remove()}
              >
                Delete…
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>
        {runs && <RunDialog timeline={timeline} onClose={running.close} />}
        {delivers && <DeliverDialog timeline={timeline} onClose={delivering.close} />}
      </Suspense>
    </>
  )
}

function useActs(timeline: Timeline) {
  const { studyInstanceUID } = timeline
  const path = { studyInstanceUID }
  const confirm = useConfirm()
  const [, navigate] = useLocation()
  const said = ({ sentence }: { sentence: string }) => toastDone(asSentence(sentence))
  const complete = useAct('POST /studies/{studyInstanceUID}/complete', { onDone: said })
  const retry = useAct('POST /studies/{studyInstanceUID}/retry', { onDone: said })
  const remove = useAct('DELETE /studies/{studyInstanceUID}', {
    changes: ['GET /studies', 'GET /overview'],
    onDone: said,
  })
  const name = personName(timeline.patient.patientName)
  return {
    isBusy: complete.isPending || retry.isPending || remove.isPending,
    complete: () => complete.mutate({ path }, { onError: (error) => toastFailed('The study is not complete', error) }),
    retry: (from: 'route' | 'infer' | 'deliver') =>
      retry.mutate({ path, body: { from } }, { onError: (error) => toastFailed('Nothing was begun', error) }),
    remove: async () => {
      const isSure = await confirm({
        title: `Delete the study of ${name}?`,
        text: `${timeline.studyDescription || 'The study'} with ${plural(timeline.instances, 'instance')} and ${plural(timeline.results.length, 'result')} is deleted here. What was delivered stays where it is. Nothing brings it back.`,
        confirm: 'Delete the study',
        danger: true,
      })
      if (!isSure) return
      remove.mutate(
        { path, query: { confirm: studyInstanceUID } },
        {
          onSuccess: () => navigate('/studies'),
          onError: (error) => toastFailed('The study is still here', new Error(sentenceOf(error))),
        },
      )
    },
  }
}
