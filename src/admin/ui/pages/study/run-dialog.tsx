import { Button, Checkbox, Group, Modal, NativeSelect, SegmentedControl, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { Timeline } from '../../api/schema.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { destinationName } from '../../words.ts'
import { asSentence } from './acts-menu.tsx'

/** Runs a pipeline on the study, whatever the routes say. */
export function RunDialog({ timeline, onClose }: { timeline: Timeline; onClose(): void }) {
  const installed = useApi('GET /pipelines')
  const destinations = useApi('GET /destinations')
  const [chosen, setChosen] = useState('')
  const [to, setTo] = useState<string[]>([])
  const [priority, setPriority] = useState<'urgent' | 'normal' | 'low'>('urgent')
  const usable = (installed.data?.pipelines ?? []).filter(({ enabled }) => enabled)
  const pipeline = usable.find(({ name, version }) => `${name}@${version}` === chosen) ?? usable[0]
  const run = useAct('POST /studies/{studyInstanceUID}/run', {
    onDone: ({ sentence }) => {
      toastDone(asSentence(sentence))
      onClose()
    },
  })
  const problem = run.error ?? installed.error
  return (
    <Modal opened onClose={onClose} title="Run a pipeline on this study" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <NativeSelect
          label="Pipeline"
          disabled={usable.length === 0}
          value={pipeline ? `${pipeline.name}@${pipeline.version}` : ''}
          onChange={(event) => setChosen(event.currentTarget.value)}
          data={
            usable.length === 0
              ? [{ value: '', label: installed.isPending ? 'Asking…' : 'No pipeline can be run' }]
              : usable.map(({ name, version, title }) => ({
                  value: `${name}@${version}`,
                  label: `${title}, ${version}`,
                }))
          }
        />
        {pipeline && (
          <Text size="sm" c="dimmed">
            {pipeline.intendedUse} {pipeline.limits}
          </Text>
        )}
        <Checkbox.Group
          label="Deliver the results to"
          description="With none chosen they are kept here."
          value={to}
          onChange={setTo}
        >
          <Stack gap={6} mt={6}>
            {destinations.data?.destinations.map(({ name }) => (
              <Checkbox key={name} value={name} label={destinationName(name)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <div>
          <Text size="sm" fw={500} mb={4} id="run-priority">
            Priority
          </Text>
          <SegmentedControl
            aria-labelledby="run-priority"
            fullWidth
            value={priority}
            onChange={(value) => setPriority(value)}
            data={[
              { value: 'urgent', label: 'Urgent' },
              { value: 'normal', label: 'Normal' },
              { value: 'low', label: 'When idle' },
            ]}
          />
        </div>
        {problem && <ProblemAlert error={problem} title="Nothing was begun" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!pipeline}
            loading={run.isPending}
            onClick={() =>
              pipeline &&
              run.mutate({
                path: { studyInstanceUID: timeline.studyInstanceUID },
                body: { pipeline: `${pipeline.name}@${pipeline.version}`, destinations: to, priority },
              })
            }
          >
            Run the pipeline
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
