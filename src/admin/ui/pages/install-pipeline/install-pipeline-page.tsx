import { Button, Progress, Skeleton } from '@mantine/core'
import { IconTrash, IconUpload } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useSearchParams } from 'wouter'
import type { Problem } from '../../api/problem.ts'
import type { PipelineUpload } from '../../api/schema.ts'
import { sendFile } from '../../api/send-file.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Bytes, TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName } from '../../words.ts'
import { ImportQuestions } from './import-questions.tsx'
import './install-pipeline.css'

const back = { href: '/pipelines', label: 'Pipelines' }

/** A new pipeline in three steps: upload, the questions of the import, and the look at what would be installed. */
export function InstallPipelinePage() {
  const [search, setSearch] = useSearchParams()
  const id = search.get('upload')
  const uploads = useApi('GET /pipelines/uploads')
  const found = uploads.data?.uploads.find((one) => one.id === id)
  return (
    <Page title="Install a pipeline" back={back} lead="Nothing runs it before a route names it.">
      <ol className="install-steps" aria-label="Steps">
        {['Upload', 'Questions', 'Install'].map((step, index) => (
          <li key={step} aria-current={index === (found ? 1 : 0) ? 'step' : undefined}>
            <span aria-hidden>{index + 1}</span> {step}
          </li>
        ))}
      </ol>
      <Answer query={uploads} skeleton={<Skeleton height={320} radius="lg" />}>
        {(answer) =>
          found ? (
            <ImportQuestions key={found.id} upload={found} onLeave={() => setSearch({})} />
          ) : (
            <UploadStep uploads={answer.uploads} onUploaded={(upload) => setSearch({ upload })} />
          )
        }
      </Answer>
    </Page>
  )
}

function UploadStep({ uploads, onUploaded }: { uploads: readonly PipelineUpload[]; onUploaded(id: string): void }) {
  const client = useQueryClient()
  const field = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)
  const [part, setPart] = useState(0)
  const send = useMutation<PipelineUpload, Problem, File>({
    mutationFn: (file) =>
      sendFile('POST /pipelines/uploads', { query: { file: file.name } }, file, {
        contentType: 'application/octet-stream',
        onProgress: setPart,
      }),
    onMutate: () => setPart(0),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['GET /pipelines/uploads'] })
      onUploaded(id)
    },
  })
  return (
    <div className="install">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dropping is one way; the button in it the other */}
      <section
        className={`panel install-drop${isOver ? ' install-over' : ''}`}
        aria-label="Upload"
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          const file = event.dataTransfer.files[0]
          if (file && !send.isPending) send.mutate(file)
        }}
      >
        <IconUpload size={30} stroke={1.4} aria-hidden className="install-sign" />
        <div>Drop a file here, or</div>
        <Button loading={send.isPending} onClick={() => field.current?.click()}>
          Choose a file
        </Button>
        <input
          ref={field}
          type="file"
          className="sr-only"
          tabIndex={-1}
          aria-label="File of the pipeline"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0]
            if (file) send.mutate(file)
            event.currentTarget.value = ''
          }}
        />
        <p className="muted">
          A pipeline’s folder, a MONAI bundle or a model of nnU-Net as .zip or .tar.gz, or an ONNX file. What it is, is
          found out by looking into it.
        </p>
        {send.isPending && (
          <div className="install-progress" role="status">
            <Progress value={100 * part} aria-label="Uploaded" />
            {part < 1 ? `${Math.round(100 * part)} % uploaded` : 'Looking into it…'}
          </div>
        )}
      </section>
      {send.error && <ProblemAlert error={send.error} title="It cannot be taken" />}
      {uploads.length > 0 && <Waiting uploads={uploads} onChoose={onUploaded} />}
    </div>
  )
}

/** What was uploaded before, and is not installed yet. */
function Waiting({ uploads, onChoose }: { uploads: readonly PipelineUpload[]; onChoose(id: string): void }) {
  const discard = useAct('DELETE /pipelines/uploads/{id}', { changes: ['GET /pipelines/uploads'] })
  return (
    <section className="panel install-waiting" aria-labelledby="waiting-title">
      <h2 id="waiting-title">Uploaded, not installed yet</h2>
      <ul>
        {uploads.map(({ id, file, bytes, uploadedBy, at }) => (
          <li key={id}>
            <b>{file}</b>
            <span className="muted">
              <Bytes of={bytes} />, {actorName(uploadedBy)}, <TimeAgo at={at} />
            </span>
            <Button size="xs" variant="default" onClick={() => onChoose(id)}>
              Go on
            </Button>
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              leftSection={<IconTrash size={14} aria-hidden />}
              loading={discard.isPending && discard.variables.path.id === id}
              onClick={() =>
                discard.mutate(
                  { path: { id } },
                  {
                    onSuccess: () => toastDone(`${file} is thrown away.`),
                    onError: (error) => toastFailed('It is still there', error),
                  },
                )
              }
            >
              Throw away
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
