import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { RouteProblem } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { ConditionEditor } from './condition-editor.tsx'
import { DestinationsSection } from './destinations-section.tsx'
import { FindingsSection } from './findings-section.tsx'
import { InputEditor } from './input-editor.tsx'
import { OrderSection } from './order-section.tsx'
import { PipelineSection } from './pipeline-section.tsx'
import { versionOf } from './pipeline-select.tsx'
import { proposedInput } from './proposed-input.ts'
import type { Definition, Input } from './route-words.ts'

export interface SectionProps {
  definition: Definition
  problems: readonly RouteProblem[]
  readOnly: boolean
  change(definition: Definition): void
}

/** A route from above to below as it works: which studies, which series of them, what runs, where the results go, and when. */
export function BuilderTab(props: SectionProps) {
  const { definition, problems, readOnly, change } = props
  const installed = useApi('GET /pipelines')
  const pipeline = versionOf(definition.pipeline ?? '', installed.data?.pipelines ?? [])
  const card = useApi(
    'GET /pipelines/{name}/versions/{version}',
    { path: { name: pipeline?.name ?? '', version: pipeline?.version ?? '' } },
    { enabled: pipeline !== undefined },
  )
  const inputs: Record<string, Partial<Input>> = definition.inputs ?? {}
  const names = Object.keys(inputs)
  const wanted = card.data?.inputs ?? []
  const absent = wanted.filter(({ name }) => !names.includes(name))
  const setInput = (name: string, input: Partial<Input>) =>
    change({ ...definition, inputs: { ...inputs, [name]: input } })
  return (
    <div className="route-builder">
      <Step
        id="route-when"
        number={1}
        title="Which studies?"
        lead="Leave it empty to look at every study; the series below decide then."
      >
        <ConditionEditor
          label="Which studies"
          scope="study"
          text={definition.when ?? ''}
          problems={problems.filter(({ path }) => path === 'when')}
          readOnly={readOnly}
          onChange={(when) => {
            const { when: _, ...others } = definition
            change(when === '' ? others : { ...definition, when })
          }}
        />
      </Step>
      <Step
        id="route-series"
        number={2}
        title="Which series of them?"
        lead="One for each input of the pipeline. A series that has no value for a field does not satisfy its condition."
      >
        {names.map((name) => (
          <InputEditor
            key={name}
            name={name}
            input={inputs[name] ?? {}}
            card={wanted.find((one) => one.name === name)}
            others={names.filter((other) => other !== name)}
            problems={problems}
            readOnly={readOnly}
            onChange={(input) => setInput(name, input)}
            onRemove={() => {
              const { [name]: _, ...others } = inputs
              change({ ...definition, inputs: others })
            }}
          />
        ))}
        {!readOnly && absent.length > 0 && (
          <div className="route-absent">
            <span>The pipeline also takes:</span>
            {absent.map((one) => (
              <Button
                key={one.name}
                size="compact-sm"
                variant="light"
                leftSection={<IconPlus size={14} aria-hidden />}
                onClick={() => setInput(one.name, proposedInput(one))}
              >
                Series “{one.name}”
              </Button>
            ))}
          </div>
        )}
        {names.length === 0 && absent.length === 0 && (
          <p className="muted">Choose a pipeline below: its inputs appear here.</p>
        )}
      </Step>
      <Step id="route-pipeline" number={3} title="What runs?">
        <PipelineSection {...props} installed={installed.data?.pipelines ?? []} />
      </Step>
      <Step id="route-destinations" number={4} title="Where do the results go?">
        <DestinationsSection {...props} outputs={card.data?.outputs ?? []} />
        <FindingsSection {...props} measurements={card.data?.measurements ?? []} />
      </Step>
      <Step id="route-order" number={5} title="When, and in which order?">
        <OrderSection {...props} />
      </Step>
    </div>
  )
}

function Step({
  id,
  number,
  title,
  lead,
  children,
}: {
  id: string
  number: number
  title: string
  lead?: string
  children: ReactNode
}) {
  return (
    <section id={id} className="panel route-step" aria-labelledby={`${id}-title`}>
      <div className="route-step-head">
        <span className="route-step-number" aria-hidden>
          {number}
        </span>
        <div>
          <h2 id={`${id}-title`}>{title}</h2>
          {lead && <p className="muted">{lead}</p>}
        </div>
      </div>
      {children}
    </section>
  )
}
