import { NumberInput, Switch, Text } from '@mantine/core'
import type { PipelineVersion } from '../../api/schema.ts'
import type { SectionProps } from './builder-tab.tsx'
import { PipelineSelect, versionOf } from './pipeline-select.tsx'
import { asSentence, firstLine } from './route-words.ts'

/** The pipeline, and the two ways to try another one: shadow and canary. */
export function PipelineSection({
  definition,
  problems,
  readOnly,
  change,
  installed,
}: SectionProps & { installed: readonly PipelineVersion[] }) {
  const { pipeline = '', canary, shadow = false } = definition
  const chosen = versionOf(pipeline, installed)
  const wrong = (path: string) => {
    const found = problems.find((one) => one.path === path)
    return found && asSentence(firstLine(found.expectation))
  }
  return (
    <fieldset disabled={readOnly} className="route-fields">
      <legend className="sr-only">What runs</legend>
      <div>
        <PipelineSelect
          label="Pipeline"
          value={pipeline}
          installed={installed}
          error={wrong('pipeline')}
          onChange={(reference) => change({ ...definition, pipeline: reference })}
        />
        {chosen && (
          <Text size="sm" c="dimmed" mt={6}>
            {chosen.description} {chosen.limits}
          </Text>
        )}
      </div>
      <div className="route-switches">
        <Switch
          label="Shadow: run it and keep what it measures, deliver nothing"
          description="To compare a pipeline on real studies before anybody sees its results."
          checked={shadow}
          onChange={(event) => {
            const { shadow: _, ...others } = definition
            change(event.currentTarget.checked ? { ...definition, shadow: true } : others)
          }}
        />
        <Switch
          label="Canary: send a part of the studies to another version"
          description="A study always goes the same way."
          checked={canary !== undefined}
          onChange={(event) => {
            const { canary: _, ...others } = definition
            change(event.currentTarget.checked ? { ...definition, canary: { pipeline, fraction: 0.1 } } : others)
          }}
        />
        {canary && (
          <div className="route-canary">
            <PipelineSelect
              label="Canary pipeline"
              value={canary.pipeline}
              installed={installed}
              error={wrong('canary.pipeline')}
              onChange={(reference) => change({ ...definition, canary: { ...canary, pipeline: reference } })}
            />
            <NumberInput
              label="Part of the studies, %"
              min={1}
              max={100}
              value={Math.round(canary.fraction * 1000) / 10}
              error={wrong('canary.fraction')}
              onChange={(percent) =>
                percent !== '' && change({ ...definition, canary: { ...canary, fraction: Number(percent) / 100 } })
              }
            />
          </div>
        )}
      </div>
    </fieldset>
  )
}
