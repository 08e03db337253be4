import { Button } from '@mantine/core'
import { IconEye } from '@tabler/icons-react'
import type { BodyOf } from '../../api/call.ts'
import { useAct } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'

type Input = Pick<BodyOf<'POST /notifications/preview'>, 'event' | 'template' | 'phi'>

/** What a message would say, of a sample; as text, whatever stands in it. */
export function Preview(input: Input) {
  const preview = useAct('POST /notifications/preview', { changes: [] })
  const shown = preview.data
  return (
    <div>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconEye size={14} aria-hidden />}
        loading={preview.isPending}
        onClick={() => preview.mutate({ body: input })}
      >
        Preview
      </Button>
      {preview.error && <ProblemAlert error={preview.error} title="No preview" />}
      {shown && shown.problems.length > 0 && (
        <ProblemAlert error={new Error(shown.problems.join(' '))} title="It would be refused" />
      )}
      {shown && shown.problems.length === 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
        <div className="notifications-preview" tabIndex={0} role="region" aria-label="Preview">
          <b>{shown.subject}</b>
          {'\n\n'}
          {shown.text}
        </div>
      )}
    </div>
  )
}
