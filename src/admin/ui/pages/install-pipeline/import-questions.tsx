import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { type BodyOf, call } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { ImportCheck, PipelineUpload, PipelineVersion } from '../../api/schema.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'

type Answers = BodyOf<'POST /pipelines/uploads/{id}/check'>
type Question = ImportCheck['questions'][number]

const kinds = {
  pipeline: 'A whole pipeline',
  onnx: 'An ONNX file',
  monai: 'A MONAI bundle',
  nnunet: 'A model of nnU-Net',
} as const

/** What has to be known before an upload can be installed; an answer may bring further questions. */
export function ImportQuestions({ upload, onLeave }: { upload: PipelineUpload; onLeave(): void }) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const isWhole = upload.kind === 'pipeline'
  const [name, setName] = useState(upload.suggestedName)
  const [given, setGiven] = useState<Record<string, string>>({})
  const body: Answers = { ...(isWhole ? {} : { name }), answers: given }
  const [asked] = useDebouncedValue(body, 350)
  const check = useQuery<ImportCheck, Problem>({
    queryKey: ['import check', upload.id, asked],
    queryFn: () => call('POST /pipelines/uploads/{id}/check', { path: { id: upload.id }, body: asked }),
    placeholderData: (before) => before,
    retry: false,
  })
  const isFresh = JSON.stringify(asked) === JSON.stringify(body) && !check.isFetching
  const install = useMutation<PipelineVersion, Problem>({
    mutationFn: () => call('POST /pipelines/uploads/{id}/install', { path: { id: upload.id }, body }),
    onSuccess: (installed) => {
      toastDone(`${installed.title} ${installed.version} is installed.`)
      void client.invalidateQueries()
      navigate(`/pipelines/${installed.name}?version=${installed.version}`)
    },
  })
  const { questions = [], problems = [], notes = [], todo = [], manifest, installable = false } = check.data ?? {}
  const open = questions.filter(({ answer }) => answer === null)
  return (
    <div className="install">
      <section className="panel install-part" aria-labelledby="questions-title">
        <div className="section-head">
          <h2 id="questions-title">{upload.file}</h2>
          <span className="muted">
            {kinds[upload.kind]}, {plural(upload.files.length, 'file')}
          </span>
        </div>
        {!isWhole && (
          <TextInput
            label="What is it called?"
            description="Lower-case letters, digits and hyphens."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        {check.isPending && <Skeleton height={160} mt="md" />}
        {questions.map((question) => (
          <QuestionField
            key={question.id}
            question={question}
            given={given[question.id]}
            onChange={(value) => {
              const { [question.id]: _, ...others } = given
              setGiven(value === '' ? others : { ...given, [question.id]: value })
            }}
          />
        ))}
        {check.data && questions.length === 0 && isWhole && (
          <p className="muted">It says everything itself: there is nothing to ask.</p>
        )}
      </section>
      {check.error && <ProblemAlert error={check.error} title="It cannot be imported like this" />}
      {check.data && (
        <section className="panel install-part" aria-labelledby="outcome-title" aria-busy={!isFresh}>
          <div className="section-head">
            <h2 id="outcome-title">What would be installed</h2>
            {check.data.name && (
              <span className="muted">
                {check.data.name}
                {check.data.version && `, version ${check.data.version}`}
              </span>
            )}
            <StateBadge
              state={installable ? 'good' : 'warning'}
              label={installable ? 'Ready' : open.length > 0 ? `${plural(open.length, 'question')} open` : 'Not ready'}
            />
          </div>
          <Sentences title="Wrong" items={problems} tone="bad" />
          <Sentences title="Missing" items={todo} tone="warn" />
          <Sentences title="Look at this" items={notes} tone="idle" />
          {manifest && (
            <details>
              <summary>The manifest</summary>
              {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys */}
              <pre className="install-manifest" tabIndex={0}>
                {manifest}
              </pre>
            </details>
          )}
        </section>
      )}
      {install.error && <ProblemAlert error={install.error} title="Not installed" />}
      <div className="install-end">
        <Button disabled={!installable || !isFresh} loading={install.isPending} onClick={() => install.mutate()}>
          Install it
        </Button>
        <Button variant="default" onClick={onLeave}>
          Another file
        </Button>
      </div>
    </div>
  )
}

function QuestionField({
  question: { id, text, kind, choices, proposal, answer },
  given,
  onChange,
}: {
  question: Question
  given: string | undefined
  onChange(value: string): void
}) {
  const isOpen = answer === null
  const description = proposal === null ? undefined : `Proposed: ${proposal}`
  if (kind === 'choice')
    return (
      <NativeSelect
        label={text}
        required={proposal === null}
        value={given ?? answer ?? ''}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={[
          ...(isOpen ? [{ value: '', label: 'Choose' }] : []),
          ...choices.map((choice) => ({ value: choice, label: choice })),
        ]}
      />
    )
  return (
    <TextInput
      label={text}
      description={description}
      required={proposal === null}
      placeholder={proposal ?? ''}
      value={given ?? ''}
      onChange={(event) => onChange(event.currentTarget.value)}
      data-question={id}
    />
  )
}

function Sentences({ title, items, tone }: { title: string; items: readonly string[]; tone: 'bad' | 'warn' | 'idle' }) {
  if (items.length === 0) return null
  return (
    <div className={`install-sentences tone-${tone}`}>
      <h3>{title}</h3>
      <ul>
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </div>
  )
}
