import { Button, Group, Modal, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import type { Problem } from '../../api/problem.ts'
import type { Result, Timeline } from '../../api/schema.ts'
import { type GivenFeedback, needsReason, type Verdict, verdictWords } from '../../parts/feedback.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { pipelineName } from '../../words.ts'
import { resultName, seriesNameOf } from './names.ts'

export interface FeedbackDialogProps {
  verdict: Exclude<Verdict, 'accepted'>
  timeline: Timeline
  result: Result
  isBusy: boolean
  problem: Problem | null
  onGive(feedback: GivenFeedback): void
  onClose(): void
}

/** Asks for the words that belong to a verdict, and for the object that is right where there is another. */
export function FeedbackDialog({ verdict, timeline, result, isBusy, problem, onGive, onClose }: FeedbackDialogProps) {
  const [reason, setReason] = useState('')
  const [corrected, setCorrected] = useState<string | null>(null)
  const words = verdictWords[verdict]
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (verdict === 'corrected') {
      if (corrected === null) return
      const remark = reason.trim() === '' ? {} : { reason }
      onGive({ verdict, correctedSOPInstanceUID: corrected.trim(), ...remark })
    } else onGive({ verdict, reason })
  }
  return (
    <Modal opened onClose={onClose} title={words.title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack>
          <p className="study-line muted">
            {resultName(result)} by {pipelineName(result.pipeline)}
          </p>
          {verdict === 'corrected' && <RightObject timeline={timeline} value={corrected} onChange={setCorrected} />}
          <Textarea
            label={words.asks}
            data-autofocus={verdict !== 'corrected' || undefined}
            required={needsReason.has(verdict)}
            withAsterisk={false}
            autosize
            minRows={3}
            maxRows={10}
            maxLength={2000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {problem && <ProblemAlert error={problem} title="Nothing was kept" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={isBusy}
              disabled={verdict === 'corrected' ? !corrected?.trim() : reason.trim() === ''}
            >
              {verdict === 'corrected' || verdict === 'missed' ? 'Keep it' : words.act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

const other = ''

/** The objects of people in the study; another one is named by its UID, since it need not be here. */
function RightObject({
  timeline,
  value,
  onChange,
}: {
  timeline: Timeline
  value: string | null
  onChange(value: string | null): void
}) {
  const { data: here } = useQuery({
    queryKey: ['objects that people made', timeline.studyInstanceUID],
    queryFn: () => objectsOfPeople(timeline),
  })
  const isHere = here?.some(({ sopInstanceUID }) => sopInstanceUID === value) ?? false
  if (here === undefined) return <NativeSelect label="The object that is right" disabled data={['Looking…']} />
  return (
    <>
      {here.length > 0 && (
        <NativeSelect
          label="The object that is right"
          data-autofocus
          value={isHere ? (value ?? other) : other}
          onChange={(event) => onChange(event.currentTarget.value || null)}
          data={[
            { value: other, label: 'Another one, not in this study here' },
            ...here.map(({ sopInstanceUID, name }) => ({ value: sopInstanceUID, label: name })),
          ]}
        />
      )}
      {!isHere && (
        <TextInput
          label="Its SOP Instance UID"
          description={
            here.length === 0
              ? 'No object of a person, such as a segmentation or report, is in the study here.'
              : undefined
          }
          data-autofocus={here.length === 0 || undefined}
          value={value ?? ''}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        />
      )}
    </>
  )
}

const modalities: ReadonlySet<string | null> = new Set(['SEG', 'SR', 'RTSTRUCT', 'PR', 'ANN'])

/** Objects in the study that say what is seen, and are no results of pipelines. */
async function objectsOfPeople(timeline: Timeline): Promise<{ sopInstanceUID: string; name: string }[]> {
  const ours = new Set(timeline.results.map(({ seriesInstanceUID }) => seriesInstanceUID))
  const series = timeline.arrivals.filter((one) => modalities.has(one.modality) && !ours.has(one.seriesInstanceUID))
  const found = [...new Set(series.map(({ seriesInstanceUID }) => seriesInstanceUID))].map(async (uid) => {
    const answer = await fetch(`/dicomweb/studies/${timeline.studyInstanceUID}/series/${uid}/instances?limit=50`, {
      headers: { accept: 'application/dicom+json' },
    })
    if (!answer.ok) return []
    const instances = answer.status === 204 ? [] : ((await answer.json()) as Instance[])
    return instances.flatMap((instance, index) => {
      const sopInstanceUID = instance['00080018']?.Value?.[0]
      const name = `${seriesNameOf(timeline, uid)}${instances.length > 1 ? `, no. ${index + 1}` : ''}`
      return typeof sopInstanceUID === 'string' ? [{ sopInstanceUID, name }] : []
    })
  })
  return (await Promise.all(found)).flat()
}

type Instance = Readonly<Record<string, { Value?: unknown[] } | undefined>>
