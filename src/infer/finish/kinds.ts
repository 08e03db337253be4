import type { Image, LabelMap } from '../image.ts'
import type { Value, ValueKind, ValueOf } from '../value.ts'
import { FinishError } from './error.ts'

/** The value as the kind that a step needs. @throws {FinishError} `wrong-value` where it is another */
export function valueAs<Kind extends ValueKind>(kind: Kind, value: Value, who: string): ValueOf<Kind> {
  if (value.kind !== kind) throw new FinishError('wrong-value', `${who} needs ${kind}: ${value.kind} was given`)
  return value as ValueOf<Kind>
}

/** Labels that may be changed: the given ones where they are given for good, else a copy. */
export function writableLabels(value: Value, context: { owned?: boolean }, who: string): LabelMap {
  const { labels } = valueAs('labels', value, who)
  return context.owned ? labels : { ...labels, labels: labels.labels.slice() }
}

/** An image of Float32 whose data may be changed. */
export function writableFloats(image: Image, context: { owned?: boolean }): Image & { data: Float32Array } {
  const { grid, channels, data } = image
  if (context.owned && data instanceof Float32Array) return { grid, channels, data }
  return { grid, channels, data: Float32Array.from(data) }
}
