import type { RouteChange } from '../../api/schema.ts'
import { placeName } from './route-words.ts'

/** What differs between two versions, field by field; texts word by word. */
export function DifferenceList({ changes }: { changes: readonly RouteChange[] }) {
  if (changes.length === 0) return <p className="muted">They do not differ.</p>
  return (
    <dl className="diff">
      {changes.map(({ path, before, after, text }) => (
        <div key={path}>
          <dt>{placeName(path)}</dt>
          <dd>
            {text ? (
              <code className="diff-text">
                {text.map(({ kind, text: part }, index) => {
                  // biome-ignore lint/suspicious/noArrayIndexKey: a difference never changes
                  if (kind === 'removed') return <Marked key={index} as="del" text={part} />
                  // biome-ignore lint/suspicious/noArrayIndexKey: a difference never changes
                  if (kind === 'added') return <Marked key={index} as="ins" text={part} />
                  // biome-ignore lint/suspicious/noArrayIndexKey: a difference never changes
                  return <span key={index}>{part}</span>
                })}
              </code>
            ) : (
              <>
                {before !== null && <del>{valueWords(before)}</del>} {after !== null && <ins>{valueWords(after)}</ins>}
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The spaces after a word are not marked. */
function Marked({ as: As, text }: { as: 'ins' | 'del'; text: string }) {
  const word = text.trimEnd()
  return (
    <>
      <As>{word}</As>
      {text.slice(word.length) || ' '}
    </>
  )
}

function valueWords(value: unknown): string {
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueWords).join(', ')
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, member]) => `${key}: ${valueWords(member)}`)
      .join('; ')
  return String(value)
}
