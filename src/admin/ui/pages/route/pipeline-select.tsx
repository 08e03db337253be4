import { NativeSelect } from '@mantine/core'
import type { PipelineVersion } from '../../api/schema.ts'

export interface PipelineSelectProps {
  label: string
  /** As a route writes it: NAME, NAME@1.2.0 or NAME@sha256:… */
  value: string
  installed: readonly PipelineVersion[]
  error?: string | undefined
  onChange(reference: string): void
}

/** Chooses a pipeline: its newest version whatever that is, or one version. */
export function PipelineSelect({ label, value, installed, error, onChange }: PipelineSelectProps) {
  const data = installed.flatMap(({ name, title, version, isDefault, enabled }) => [
    ...(isDefault ? [{ value: name, label: `${title}, always the newest version` }] : []),
    { value: `${name}@${version}`, label: `${title}, version ${version}${enabled ? '' : ' (switched off)'}` },
  ])
  const isKnown = value === '' || data.some((one) => one.value === value)
  return (
    <NativeSelect
      label={label}
      error={error}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        ...(value === '' ? [{ value: '', label: 'Choose a pipeline' }] : []),
        ...data,
        ...(isKnown ? [] : [{ value, label: shortOf(value) }]),
      ]}
    />
  )
}

function shortOf(reference: string): string {
  return reference.replace(/@sha256:([0-9a-f]{12})[0-9a-f]*/, ', files $1…')
}

/** The version that a reference denotes, as far as it is installed. */
export function versionOf(reference: string, installed: readonly PipelineVersion[]): PipelineVersion | undefined {
  const [name, version] = reference.split('@')
  return installed.find(
    (one) =>
      one.name === name && (version === undefined ? one.isDefault : one.version === version || one.digest === version),
  )
}
