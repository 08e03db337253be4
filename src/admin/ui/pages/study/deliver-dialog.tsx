import { Button, Checkbox, Group, Modal, NativeSelect, Stack } from '@mantine/core'
import { useState } from 'react'
import type { Timeline } from '../../api/schema.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { destinationName, pipelineName } from '../../words.ts'
import { asSentence } from './acts-menu.tsx'
import { currentResults, resultName } from './names.ts'

/** Delivers results of the study to a destination, whatever the routes say. */
export function DeliverDialog({ timeline, onClose }: { timeline: Timeline; onClose(): void }) {
  const results = currentResults(timeline)
  const known = useApi('GET /destinations')
  const [destination, setDestination] = useState('')
  const [chosen, setChosen] = useState(() => results.map(({ sopInstanceUID }) => sopInstanceUID))
  const names = known.data?.destinations.map(({ name }) => name) ?? []
  const target = destination || names[0]
  const deliver = useAct('POST /studies/{studyInstanceUID}/deliver', {
    onDone: ({ sentence }) => {
      toastDone(asSentence(sentence))
      onClose()
    },
  })
  const problem = deliver.error ?? known.error
  return (
    <Modal opened onClose={onClose} title="Deliver results elsewhere" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <NativeSelect
          label="Destination"
          disabled={names.length === 0}
          value={target ?? ''}
          onChange={(event) => setDestination(event.currentTarget.value)}
          data={
            names.length === 0
              ? [{ value: '', label: known.isPending ? 'Asking…' : 'No destination is configured' }]
              : names.map((name) => ({ value: name, label: destinationName(name) }))
          }
        />
        <Checkbox.Group label="Results" value={chosen} onChange={setChosen}>
          <Stack gap={6} mt={6}>
            {results.map((result) => (
              <Checkbox
                key={result.sopInstanceUID}
                value={result.sopInstanceUID}
                label={`${resultName(result)} (${result.modality}) by ${pipelineName(result.pipeline)}`}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        {problem && <ProblemAlert error={problem} title="Nothing was delivered" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!target || chosen.length === 0}
            loading={deliver.isPending}
            onClick={() =>
              target &&
              deliver.mutate({
                path: { studyInstanceUID: timeline.studyInstanceUID },
                body: { destination: target, results: chosen },
              })
            }
          >
            {target ? `Deliver to ${destinationName(target, 'inside')}` : 'Deliver'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
