import * as z from 'zod'
import { translatedShares } from '../label-shares.ts'
import { finishStep } from '../step.ts'
import type { Value } from '../value.ts'
import { writableLabels } from './kinds.ts'

const label = z.int().min(0).max(255)

/** Labels through a table of 256 entries. */
function throughTable(value: Value, table: Uint8Array, context: { owned?: boolean }, who: string): Value {
  const { grid, labels, shares } = writableLabels(value, context, who)
  for (let i = 0; i < labels.length; i++) labels[i] = table[labels[i] as number] as number
  return { kind: 'labels', labels: { grid, labels, shares: shares && translatedShares(shares, table) } }
}

const identity = (): Uint8Array => Uint8Array.from({ length: 256 }, (_, i) => i)

export const relabel = finishStep({
  summary: 'Gives labels other numbers; 0 removes one.',
  options: z.strictObject({
    /** Label to its new number. All change at once: two may be exchanged. */
    map: z
      .record(z.string().regex(/^([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/, 'a label from 1 to 255 is expected'), label)
      .refine((map) => Object.keys(map).length > 0, 'at least one label is expected'),
    /** What labels become that are not named. */
    others: z.enum(['keep', 'remove']).default('keep'),
  }),
  takes: ['labels'],
  gives: 'labels',
  apply(value, { map, others }, context) {
    const table = others === 'keep' ? identity() : new Uint8Array(256)
    for (const [from, to] of Object.entries(map)) table[Number(from)] = to
    return throughTable(value, table, context, 'relabel')
  },
})

export const mergeLabels = finishStep({
  summary: 'Makes one label of several.',
  options: z.strictObject({
    labels: z.array(label.min(1)).min(1),
    /** Left out: the first of them. */
    to: label.min(1).optional(),
  }),
  takes: ['labels'],
  gives: 'labels',
  apply(value, { labels, to = labels[0] as number }, context) {
    const table = identity()
    for (const from of labels) table[from] = to
    return throughTable(value, table, context, 'merge-labels')
  },
})
