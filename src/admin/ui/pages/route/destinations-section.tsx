import { Checkbox, MultiSelect } from '@mantine/core'
import type { PipelineCard } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { destinationName } from '../../words.ts'
import type { SectionProps } from './builder-tab.tsx'
import { asSentence, firstLine } from './route-words.ts'

const kinds: Readonly<Record<string, string>> = {
  segmentation: 'Segmentation',
  'measurement-report': 'Measurement report',
  'planar-report': 'Planar report',
  'secondary-capture': 'Secondary capture',
  'encapsulated-pdf': 'PDF report',
  'key-images': 'Key images',
  json: 'Measurements as JSON',
  image: 'Images',
  'parametric-map': 'Parametric map',
}

/** The destinations, and for each whether it gets everything or some of the outputs. */
export function DestinationsSection({
  definition,
  problems,
  readOnly,
  change,
  outputs,
}: SectionProps & { outputs: PipelineCard['outputs'] }) {
  const known = useApi('GET /destinations')
  const chosen = definition.destinations ?? []
  const names = [...new Set(['self', ...(known.data?.destinations ?? []).map(({ name }) => name), ...chosen])]
  const wrong = problems.filter(({ path }) => path.startsWith('destinations') || path.startsWith('outputs'))
  const toggle = (name: string, isOn: boolean) => {
    const destinations = isOn ? [...chosen, name] : chosen.filter((one) => one !== name)
    const { outputs: parts = {}, ...others } = definition
    const { [name]: _, ...kept } = parts
    change({ ...others, destinations, ...(Object.keys(kept).length > 0 && { outputs: kept }) })
  }
  const setOutputs = (name: string, ids: string[]) => {
    const { outputs: parts = {}, ...others } = definition
    const { [name]: _, ...rest } = parts
    const next = ids.length > 0 ? { ...rest, [name]: ids } : rest
    change({ ...others, ...(Object.keys(next).length > 0 && { outputs: next }) })
  }
  return (
    <fieldset disabled={readOnly} className="route-destinations">
      <legend className="sr-only">Where the results go</legend>
      {names.map((name) => {
        const details = known.data?.destinations.find((one) => one.name === name)
        return (
          <div key={name} className="route-destination">
            <Checkbox
              label={destinationName(name)}
              description={
                name === 'self' ? 'Kept here: for the viewer, and for whoever asks by DICOMweb.' : details?.kind
              }
              checked={chosen.includes(name)}
              onChange={(event) => toggle(name, event.currentTarget.checked)}
            />
            {chosen.includes(name) && outputs.length > 1 && (
              <MultiSelect
                aria-label={`What ${destinationName(name, 'inside')} gets`}
                placeholder={(definition.outputs?.[name] ?? []).length === 0 ? 'Gets everything' : ''}
                disabled={readOnly}
                value={definition.outputs?.[name] ?? []}
                onChange={(ids) => setOutputs(name, ids)}
                data={outputsOf(outputs, definition.outputs?.[name] ?? [])}
              />
            )}
          </div>
        )
      })}
      {wrong.map(({ path, expectation }) => (
        <p key={path + expectation} className="route-wrong">
          {asSentence(firstLine(expectation))}
        </p>
      ))}
    </fieldset>
  )
}

function outputsOf(outputs: PipelineCard['outputs'], chosen: readonly string[]): { value: string; label: string }[] {
  const known = outputs.map(({ id, kind, title }) => ({ value: id, label: title || kinds[id] || kinds[kind] || id }))
  const others = chosen.filter((id) => !known.some(({ value }) => value === id))
  return [...known, ...others.map((id) => ({ value: id, label: kinds[id] ?? id }))]
}
