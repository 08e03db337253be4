import { Button, NativeSelect, NumberInput, Switch } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { InsightOptions } from '../../api/schema.ts'
import { siteName } from './insight-words.ts'
import type { InsightValues } from './use-insight-filter.ts'

const periods = [
  { value: '7', label: 'The last week' },
  { value: '30', label: 'The last month' },
  { value: '', label: 'The last 90 days' },
  { value: '365', label: 'The last year' },
  { value: 'all', label: 'All times' },
]
const sexes: Readonly<Record<string, string>> = { F: 'Women', M: 'Men', O: 'Other' }

/** What is looked at; only what is there can be chosen. */
export function InsightFilters(props: {
  options: InsightOptions
  values: InsightValues
  change(part: InsightValues): void
  withFinding: boolean
}) {
  const { options, values, change, withFinding } = props
  const choice = (name: keyof InsightValues, label: string, all: string, known: { value: string; label: string }[]) =>
    (known.length > 0 || values[name]) && (
      <NativeSelect
        label={label}
        value={values[name] ?? ''}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
        data={[{ value: '', label: all }, ...known]}
      />
    )
  const plain = (list: string[]) => list.map((value) => ({ value, label: value }))
  const versions = options.pipelines.find(({ name }) => name === values.pipeline)?.versions ?? []
  const isNarrowed = [
    'pipeline',
    'version',
    'modality',
    'scanner',
    'bodyPart',
    'sex',
    'ageFrom',
    'ageTo',
    'shadow',
  ].some((name) => values[name as keyof InsightValues] !== undefined)
  const age = (name: 'ageFrom' | 'ageTo', label: string) => (
    <NumberInput
      label={label}
      suffix=" years"
      min={0}
      max={200}
      allowDecimal={false}
      value={values[name] ?? ''}
      onChange={(value) => change({ [name]: value === '' ? undefined : String(value) })}
    />
  )
  return (
    <search className="insights-filter">
      {withFinding && (
        <NativeSelect
          className="insights-wide"
          label="Finding"
          value={values.finding ?? options.findings[0]?.id ?? ''}
          onChange={(event) => change({ finding: event.currentTarget.value })}
          data={options.findings.map(({ id, name, site }) => ({
            value: id,
            label: [name, siteName(site)].filter(Boolean).join(', '),
          }))}
        />
      )}
      <NativeSelect
        label="Period"
        value={values.days ?? ''}
        onChange={(event) => change({ days: event.currentTarget.value })}
        data={periods}
      />
      {choice('pipeline', 'Pipeline', 'All', plain(options.pipelines.map(({ name }) => name)))}
      {versions.length > 1 && choice('version', 'Version', 'All', plain(versions))}
      {choice('modality', 'Modality', 'All', plain(options.modalities))}
      {choice('scanner', 'Scanner', 'All', plain(options.scanners))}
      {choice('bodyPart', 'Body part', 'All', plain(options.bodyParts))}
      {choice(
        'sex',
        'Sex',
        'All',
        options.sexes.map((value) => ({ value, label: sexes[value] ?? value })),
      )}
      {age('ageFrom', 'Age, from')}
      {age('ageTo', 'Age, below')}
      <Switch
        label="With shadow routes"
        pb={8}
        checked={values.shadow === 'true'}
        onChange={(event) => change({ shadow: event.currentTarget.checked ? 'true' : undefined })}
      />
      {isNarrowed && (
        <Button
          variant="subtle"
          leftSection={<IconX size={15} aria-hidden />}
          onClick={() =>
            change({
              pipeline: undefined,
              version: undefined,
              modality: undefined,
              scanner: undefined,
              bodyPart: undefined,
              sex: undefined,
              ageFrom: undefined,
              ageTo: undefined,
              shadow: undefined,
            })
          }
        >
          Clear
        </Button>
      )}
    </search>
  )
}
