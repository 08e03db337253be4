import { Button, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconFileUpload, IconSearch, IconTestPipe } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { type DragEvent, useRef, useState } from 'react'
import { type AnswerOf, call } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { StudyRow } from '../../api/schema.ts'
import { sendFile } from '../../api/send-file.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Empty, ProblemAlert } from '../../parts/problem-alert.tsx'
import { dicomDate, personName, plural } from '../../words.ts'
import { ExplainedVerdict, OtherDecisions } from './explained-route.tsx'
import type { Definition } from './route-words.ts'

export interface TestTabProps {
  name: string
  definition: Definition
  isDraft: boolean
  /** Writes the draft: a file is tested with what is written. */
  save(): Promise<boolean>
}

type Tested = { what: string; answer: AnswerOf<'POST /routes/test'> }

/** The route on one study or one file, explained condition by condition. Nothing is run. */
export function TestTab({ name, definition, isDraft, save }: TestTabProps) {
  const onStudy = useMutation<Tested, Problem, StudyRow>({
    mutationFn: async (study) => ({
      what: studyWords(study),
      answer: await call('POST /routes/test', { body: { studyInstanceUID: study.studyInstanceUID, definition } }),
    }),
  })
  const onFile = useMutation<Tested, Problem, File>({
    mutationFn: async (file) => {
      await save()
      const query = isDraft ? { route: name, explain: name } : { explain: name }
      const answer = await sendFile('POST /routes/test/file', { query }, file, { contentType: 'application/dicom' })
      return { what: file.name, answer }
    },
  })
  const last = (onStudy.submittedAt >= onFile.submittedAt ? onStudy : onFile) as typeof onStudy
  return (
    <div className="route-test">
      <section className="panel route-panel" aria-labelledby="test-title">
        <div className="section-head">
          <h2 id="test-title">Test</h2>
          <span className="muted">Nothing is run.</span>
        </div>
        <FileDrop onFile={(file) => onFile.mutate(file)} isBusy={onFile.isPending} />
        <StudyChoice
          chosen={onStudy.submittedAt >= onFile.submittedAt ? onStudy.variables?.studyInstanceUID : undefined}
          onChoose={(study) => onStudy.mutate(study)}
        />
      </section>
      <section className="panel route-panel" aria-labelledby="verdict-title" aria-busy={last.isPending}>
        <div className="section-head">
          <h2 id="verdict-title">{last.data ? last.data.what : 'The verdict'}</h2>
        </div>
        {last.isPending && <Skeleton height={180} radius="md" />}
        {last.error && !last.isPending && <ProblemAlert error={last.error} title="Not tested" />}
        {last.data && !last.isPending && (
          <>
            {last.data.answer.explanations.map((explanation) => (
              <ExplainedVerdict key={explanation.route} of={explanation} />
            ))}
            {last.data.answer.explanations.length === 0 && (
              <p className="muted">This route is not in force, and has no draft.</p>
            )}
            <OtherDecisions decisions={last.data.answer.decisions} except={name} />
          </>
        )}
        {last.isIdle && (
          <Empty icon={IconTestPipe} title="Choose a study, or drop a DICOM file">
            Every condition is then listed with its verdict and the values that were found, for the study and for each
            of its series.
          </Empty>
        )}
      </section>
    </div>
  )
}

function FileDrop({ onFile, isBusy }: { onFile(file: File): void; isBusy: boolean }) {
  const [isOver, setOver] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const file = event.dataTransfer.files[0]
    if (file) onFile(file)
  }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dropping is one way; the button in it the other
    <div
      className={`route-drop${isOver ? ' route-drop-over' : ''}`}
      role="group"
      aria-label="Test a file"
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <span>Drop a DICOM file here, or</span>
      <Button
        size="compact-sm"
        variant="default"
        loading={isBusy}
        leftSection={<IconFileUpload size={15} aria-hidden />}
        onClick={() => field.current?.click()}
      >
        Choose a file
      </Button>
      <input
        ref={field}
        type="file"
        className="sr-only"
        tabIndex={-1}
        aria-label="DICOM file to test"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0]
          if (file) onFile(file)
          event.currentTarget.value = ''
        }}
      />
    </div>
  )
}

function StudyChoice({ chosen, onChoose }: { chosen: string | undefined; onChoose(study: StudyRow): void }) {
  const [written, setWritten] = useState('')
  const [search] = useDebouncedValue(written.trim(), 250)
  const query = useApi('GET /studies', { query: { search, limit: 12 } }, { keepPrevious: true })
  return (
    <>
      <TextInput
        label="Or choose a study"
        placeholder="Patient, ID, accession or description"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={written}
        onChange={(event) => setWritten(event.currentTarget.value)}
      />
      <Answer query={query} skeleton={<Skeleton height={300} radius="md" mt="sm" />}>
        {({ studies }) =>
          studies.length === 0 ? (
            <p className="muted">
              {search === '' ? 'No study has arrived yet. A file can be tested all the same.' : 'No study matches.'}
            </p>
          ) : (
            <ul className="route-studies" aria-label="Studies">
              {studies.map((study) => (
                <li key={study.studyInstanceUID}>
                  <button
                    type="button"
                    aria-pressed={chosen === study.studyInstanceUID}
                    onClick={() => onChoose(study)}
                  >
                    <b>{personName(study.patientName)}</b>
                    <span>{study.studyDescription || 'No description'}</span>
                    <span className="muted">
                      {[study.modalities.join(', '), dicomDate(study.studyDate), plural(study.instances, 'image')]
                        .filter(Boolean)
                        .join(' · ')}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </>
  )
}

function studyWords({ patientName, studyDescription }: StudyRow): string {
  return [personName(patientName), studyDescription].filter(Boolean).join(', ')
}
