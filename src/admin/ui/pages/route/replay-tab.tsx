import { Button, NativeSelect } from '@mantine/core'
import { IconHistory } from '@tabler/icons-react'
import { useState } from 'react'
import { Empty, ProblemAlert } from '../../parts/problem-alert.tsx'
import { plural } from '../../words.ts'
import { ReplayProgress, ReplayResult } from './replay-result.tsx'
import type { Definition } from './route-words.ts'
import { useReplay } from './use-replay.ts'

/** What the route would have done with the studies of the last days. */
export function ReplayTab({ definition, isDraft }: { definition: Definition; isDraft: boolean }) {
  const [days, setDays] = useState(30)
  const { replay, error, isRunning, start, cancel } = useReplay()
  return (
    <section className="panel route-panel" aria-labelledby="replay-title">
      <div className="section-head">
        <h2 id="replay-title">Replay</h2>
        <span className="muted">
          {isDraft ? 'The draft' : 'The version in force'}, over what has arrived. Nothing is run.
        </span>
      </div>
      <div className="replay-ask">
        <NativeSelect
          label="Studies of the last"
          value={String(days)}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={[1, 7, 30, 90, 365].map((count) => ({ value: String(count), label: plural(count, 'day') }))}
        />
        <Button
          leftSection={<IconHistory size={16} aria-hidden />}
          loading={isRunning}
          onClick={() => start({ days, definition })}
        >
          Replay
        </Button>
      </div>
      {error && <ProblemAlert error={error} title="Not replayed" />}
      {isRunning && <ReplayProgress replay={replay} onCancel={cancel} />}
      {replay && !isRunning && <ReplayResult replay={replay} />}
      {!replay && !isRunning && !error && (
        <Empty icon={IconHistory} title="See what it would have done">
          The replay goes through the studies that have arrived and says which of them this route would have matched,
          and where that differs from what is in force.
        </Empty>
      )}
    </section>
  )
}
