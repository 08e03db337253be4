import { Button, Group, Modal, Skeleton, Stack, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState } from 'react'
import { call } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { DifferenceList } from './differences.tsx'
import { ReplayProgress, ReplayResult } from './replay-result.tsx'
import type { Definition } from './route-words.ts'
import { useReplay } from './use-replay.ts'

export interface ActivateDialogProps {
  name: string
  definition: Definition
  etag: string | null
  /** null: nothing is in force. */
  activeVersion: number | null
  onClose(): void
  onDone(version: number): void
}

const days = 30

/** Asks before a draft is put in force: what it would have done with the studies of the last days, and what changes. */
export function ActivateDialog({ name, definition, etag, activeVersion, onClose, onDone }: ActivateDialogProps) {
  const client = useQueryClient()
  const [comment, setComment] = useState('')
  const { replay, error, isRunning, start, cancel } = useReplay()
  const begin = useEffectEvent(() => start({ days, definition }))
  useEffect(() => begin(), [])
  const diff = useApi('GET /routes/{name}/diff', { path: { name }, query: {} }, { enabled: activeVersion !== null })
  const activate = useMutation<{ version: number }, Problem>({
    mutationFn: () =>
      call(
        'POST /routes/{name}/activate',
        { path: { name }, body: comment.trim() === '' ? {} : { comment: comment.trim() } },
        etag === null ? {} : { ifMatch: etag },
      ),
    onSuccess: ({ version }) => {
      toastDone(`Version ${version} of ${name} is in force, from the next study on.`)
      void client.invalidateQueries()
      onDone(version)
    },
  })
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={`Put ${name} in force?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <section aria-label={`The last ${days} days`}>
          <h3 className="route-dialog-title">The last {days} days</h3>
          {isRunning && <ReplayProgress replay={replay} onCancel={cancel} />}
          {error && <ProblemAlert error={error} title="Not replayed" />}
          {replay && !isRunning && <ReplayResult replay={replay} isShort />}
        </section>
        {activeVersion !== null && (
          <section aria-label="What changes">
            <h3 className="route-dialog-title">What changes, compared with version {activeVersion}</h3>
            <Answer query={diff} skeleton={<Skeleton height={50} />}>
              {({ changes }) => <DifferenceList changes={changes} />}
            </Answer>
          </section>
        )}
        <TextInput
          label="Why"
          description="For those who look at the versions later. May be left empty."
          value={comment}
          maxLength={1000}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {activate.error && (
          <ProblemAlert
            error={activate.error}
            title={activate.error.status === 412 ? 'Somebody has changed the draft meanwhile' : 'Not put in force'}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={activate.isPending} onClick={() => activate.mutate()}>
            Put it in force
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
