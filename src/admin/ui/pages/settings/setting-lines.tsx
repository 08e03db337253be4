import type { Setting, SettingOrigin } from '../../api/schema.ts'
import { number } from '../../words.ts'

/** A group of settings, which can be folded. */
export function SettingGroup({
  group,
  isOpen,
  isFirst = false,
}: {
  group: Setting
  isOpen: boolean
  isFirst?: boolean
}) {
  const changed = countChanged(group)
  return (
    <details className={`settings-group${isFirst ? ' panel' : ''}`} open={isOpen || (isFirst && changed > 0)}>
      <summary>
        {group.name}
        <span className="muted">
          {' '}
          {changed > 0 && `${number(changed)} changed`}
          {group.description && <span className="sub">{group.description}</span>}
        </span>
      </summary>
      {group.settings.map((setting) =>
        setting.kind === 'group' ? (
          <SettingGroup key={setting.path} group={setting} isOpen={isOpen || countChanged(setting) > 0} />
        ) : (
          <SettingLine key={setting.path} setting={setting} />
        ),
      )}
    </details>
  )
}

/** One setting: what it is, what holds, and where that comes from. */
export function SettingLine({ setting }: { setting: Setting }) {
  const { path, kind, description, value, changed, origin } = setting
  return (
    <div className={`settings-one${changed ? ' settings-changed' : ''}`}>
      <div>
        <span className="mono">{path}</span>
        {description && <span className="sub">{description}</span>}
      </div>
      <div>
        <span className="settings-value">{shown(value)}</span>
        {changed && kind === 'setting' && setting.default !== null && (
          <span className="sub">default: {shown(setting.default)}</span>
        )}
      </div>
      <div className="muted">{origin && originOf(origin)}</div>
    </div>
  )
}

function countChanged({ settings }: Setting): number {
  return settings.reduce((sum, one) => sum + (one.kind === 'group' ? countChanged(one) : one.changed ? 1 : 0), 0)
}

function shown(value: Setting['value']): string {
  if (value === null) return 'not set'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ')
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return value === '' ? 'empty' : String(value)
}

function originOf({ kind, file, line, variable }: SettingOrigin): string {
  if (kind === 'file') return `${file?.split('/').at(-1) ?? 'the file'}${line === null ? '' : `, line ${line}`}`
  if (kind === 'environment') return `variable ${variable ?? ''}`
  return kind === 'program' ? 'given at the start' : 'default'
}
