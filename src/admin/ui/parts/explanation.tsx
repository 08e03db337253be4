import { IconAlertTriangle, IconCheck, IconMinus, IconX } from '@tabler/icons-react'
import { sopClassName } from './dicom-names.ts'
import './explanation.css'

/** holds, fails; unknown: could not be decided; skipped: was not looked at, as the others decided already. */
export type Verdict = 'holds' | 'fails' | 'unknown' | 'skipped'

/** A condition with what it came to, and those that it is made of. */
export interface Explained {
  /** The condition in words, or as CEL. */
  text: string
  verdict: Verdict
  /** The values that were looked at, by the rule's own names. */
  values?: readonly { name: string; value: unknown }[]
  /** Why, where the values do not say it. */
  reason?: string | null
  members?: readonly Explained[]
}

const signs = {
  holds: { icon: IconCheck, word: 'holds', tone: 'good' },
  fails: { icon: IconX, word: 'does not hold', tone: 'bad' },
  unknown: { icon: IconAlertTriangle, word: 'could not be decided', tone: 'warn' },
  skipped: { icon: IconMinus, word: 'not looked at', tone: 'idle' },
} as const

/** A decision, condition by condition: each with its verdict and the values that made it. */
export function Explanation({ of, label }: { of: Explained; label: string }) {
  return (
    <ul className="explanation" aria-label={label}>
      <Node of={of} />
    </ul>
  )
}

function Node({ of: { text, verdict, values = [], reason, members = [] } }: { of: Explained }) {
  const { icon: Icon, word, tone } = signs[verdict]
  return (
    <li className={`tone-${tone}`}>
      <div className="condition">
        <Icon size={16} stroke={2.2} role="img" aria-label={word} className="condition-sign" />
        <code>{text}</code>
        {values.map(({ name, value }) => (
          <FoundValue key={name} name={name} value={value} />
        ))}
        {reason && <span className="muted">{reason}</span>}
      </div>
      {members.length > 0 && (
        <ul>
          {members.map((member, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a finished decision never changes
            <Node key={index} of={member} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** A value as it was found, under the rule's own name. */
export function FoundValue({ name, value }: { name: string; value: unknown }) {
  return (
    <span className="found-value">
      <span className="found-name">{name}</span>
      <span className="found-is">{isAbsent(value) ? <i>absent</i> : valueText(value)}</span>
    </span>
  )
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}

/** A value as people read it: lists with commas, texts as they are. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '(empty)' : (sopClassName(value) ?? value)
  if (Array.isArray(value)) return value.map(valueText).join(', ')
  return JSON.stringify(value) ?? ''
}
