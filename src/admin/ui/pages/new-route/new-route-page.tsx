import { Button, Checkbox, Skeleton, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { toExpression } from '../../../../route/conditions/to-expression.ts'
import { call } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { PipelineCard, PipelineVersion } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty, ProblemAlert } from '../../parts/problem-alert.tsx'
import { destinationName } from '../../words.ts'
import { proposedInput } from '../route/proposed-input.ts'
import type { Definition } from '../route/route-words.ts'
import { useField } from '../route/use-vocabulary.ts'
import './new-route.css'

const back = { href: '/routes', label: 'Routes' }
const slug = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** A new route in four questions; the answers become a draft, which the builder then shows. */
export function NewRoutePage() {
  const installed = useApi('GET /pipelines')
  return (
    <Page title="New route" back={back} lead="Four questions make a draft. Nothing happens before it is put in force.">
      <Answer query={installed} skeleton={<Skeleton height={560} radius="lg" />}>
        {({ pipelines }) => {
          const usable = pipelines.filter(({ isDefault, enabled }) => isDefault && enabled)
          return usable.length === 0 ? (
            <div className="panel">
              <Empty title="No pipeline can be run">A route needs one: install it on the page Pipelines.</Empty>
            </div>
          ) : (
            <Questions pipelines={usable} />
          )
        }}
      </Answer>
    </Page>
  )
}

function Questions({ pipelines }: { pipelines: readonly PipelineVersion[] }) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const known = useApi('GET /routes')
  const destinations = useApi('GET /destinations')
  const taken = new Set(
    [...(known.data?.routes ?? []), ...(known.data?.drafts ?? []), ...(known.data?.retired ?? [])].map(
      ({ name }) => name,
    ),
  )
  const [chosen, setChosen] = useState('')
  const pipeline = pipelines.find(({ name }) => name === chosen)
  const card = useApi(
    'GET /pipelines/{name}/versions/{version}',
    { path: { name: pipeline?.name ?? '', version: pipeline?.version ?? '' } },
    { enabled: pipeline !== undefined },
  )
  const [parts, setParts] = useState<string[]>([])
  const [words, setWords] = useState('')
  const [to, setTo] = useState(['self'])
  const [written, setWritten] = useState<string | null>(null)
  const name = written ?? (pipeline ? freeName(pipeline.name, taken) : '')
  const nameProblem =
    name === '' || slug.test(name)
      ? taken.has(name) && name !== ''
        ? 'There is a route of this name.'
        : null
      : 'Lower-case letters, digits and single hyphens.'
  const create = useMutation<unknown, Problem, PipelineCard>({
    mutationFn: (of) => {
      const definition: Definition = {
        name,
        enabled: true,
        inputs: Object.fromEntries(of.inputs.map((input) => [input.name, narrowed(input, parts, words)])),
        pipeline: of.name,
        destinations: to,
        priority: 'normal',
      }
      return call('POST /routes/{name}/draft', { path: { name }, body: { definition } })
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['GET /routes'] })
      navigate(`/routes/${name}`)
    },
  })
  const choose = (one: string) => {
    setChosen(one)
    setParts([])
  }
  return (
    <div className="new-route">
      <Question number={1} title="What should be done?">
        <div className="new-route-cards" role="radiogroup" aria-label="Pipeline">
          {pipelines.map(({ name: one, title, description, demonstrator }) => (
            <label key={one} className={`new-route-card${chosen === one ? ' new-route-chosen' : ''}`}>
              <input type="radio" name="pipeline" value={one} checked={chosen === one} onChange={() => choose(one)} />
              <span>
                <b>{title}</b>
                {demonstrator && <span className="new-route-mark">demonstration</span>}
                <span className="muted">{description}</span>
              </span>
            </label>
          ))}
        </div>
      </Question>
      <Question number={2} title="Which studies?">
        {!pipeline && <p className="muted">What the pipeline can read is proposed here, once one is chosen.</p>}
        {pipeline && !card.data && !card.error && <Skeleton height={96} />}
        {card.error && <ProblemAlert error={card.error} onRetry={() => void card.refetch()} />}
        {card.data && <Which card={card.data} {...{ parts, setParts, words, setWords }} />}
      </Question>
      <Question number={3} title="Where do the results go?">
        <Checkbox.Group value={to} onChange={setTo} aria-label="Destinations">
          <div className="new-route-destinations">
            {[
              'self',
              ...(destinations.data?.destinations ?? []).map((one) => one.name).filter((one) => one !== 'self'),
            ].map((one) => (
              <Checkbox
                key={one}
                value={one}
                label={destinationName(one)}
                description={
                  one === 'self' ? 'Kept here: for the viewer, and for whoever asks by DICOMweb.' : undefined
                }
              />
            ))}
          </div>
        </Checkbox.Group>
      </Question>
      <Question number={4} title="What is it called?">
        <TextInput
          aria-label="Name of the route"
          description="Lower-case letters, digits and hyphens."
          value={name}
          error={nameProblem}
          maxLength={64}
          onChange={(event) => setWritten(event.currentTarget.value)}
        />
      </Question>
      {create.error && <ProblemAlert error={create.error} title="No draft was made" />}
      <div className="new-route-end">
        <Button
          disabled={!card.data || name === '' || nameProblem !== null || to.length === 0}
          loading={create.isPending}
          onClick={() => card.data && create.mutate(card.data)}
        >
          Make the draft
        </Button>
        <span className="muted">
          Next: look at it in the builder, test it on a study, replay it over the last days.
        </span>
      </div>
    </div>
  )
}

function Question({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <section className="panel new-route-question" aria-labelledby={`question-${number}`}>
      <h2 id={`question-${number}`}>
        <span aria-hidden>{number}</span> {title}
      </h2>
      {children}
    </section>
  )
}

interface WhichProps {
  card: PipelineCard
  parts: string[]
  setParts(parts: string[]): void
  words: string
  setWords(words: string): void
}

/** What the pipeline reads, in words, and how it may be narrowed: by body part, and by the description. */
function Which({ card, parts, setParts, words, setWords }: WhichProps) {
  const body = useField('series.BodyPartExamined')
  const seen = (body?.values ?? []).slice(0, 8).map(({ value }) => String(value))
  const modalities = [...new Set(card.inputs.flatMap(({ modality }) => modality))]
  return (
    <div className="new-route-which">
      <p>
        Studies with {modalities.length > 0 ? `a series of ${modalities.join(' or ')}` : 'any series'}
        {card.inputs.some(({ kind }) => kind === 'volume') && ', of 20 images or more'}.
        {card.inputs.length > 1 && ` The pipeline takes ${card.inputs.length} series of a study.`}
      </p>
      {seen.length > 0 && (
        <div>
          <div className="new-route-label">Only of these body parts, as seen in past studies</div>
          <div className="choices new-route-parts" role="group" aria-label="Body parts">
            {seen.map((part) => (
              <button
                key={part}
                type="button"
                aria-pressed={parts.includes(part)}
                onClick={() => setParts(parts.includes(part) ? parts.filter((one) => one !== part) : [...parts, part])}
              >
                {part}
              </button>
            ))}
          </div>
        </div>
      )}
      <TextInput
        label="Only where the series description contains"
        placeholder="Leave it empty for all"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
    </div>
  )
}

function narrowed(input: PipelineCard['inputs'][number], parts: readonly string[], words: string) {
  const proposed = proposedInput(input)
  const further = toExpression({
    kind: 'group',
    match: 'all',
    members: [
      ...(parts.length > 0
        ? [
            {
              kind: 'field' as const,
              field: 'series.BodyPartExamined',
              operator: parts.length === 1 ? ('equals' as const) : ('one-of' as const),
              values: [...parts],
            },
          ]
        : []),
      ...(words.trim() !== ''
        ? [
            {
              kind: 'field' as const,
              field: 'series.SeriesDescription',
              operator: 'contains' as const,
              values: [words.trim()],
            },
          ]
        : []),
    ],
  })
  return further === '' ? proposed : { ...proposed, where: `${proposed.where} && ${further}` }
}

function freeName(wish: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wish)) return wish
  for (let count = 2; ; count++) if (!taken.has(`${wish}-${count}`)) return `${wish}-${count}`
}
