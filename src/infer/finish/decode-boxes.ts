import * as z from 'zod'
import type { Grid } from '../image.ts'
import { finishStep, type StepContext } from '../step.ts'
import type { Box, ValueOf } from '../value.ts'
import { logistic, softmaxInPlace } from './activations.ts'
import { anchorOptions, anchorsOf, applyDeltas } from './anchors.ts'
import { boxFormats, cornersOf, formatSize, indexOfCoordinates } from './box-formats.ts'
import { clipped } from './box-geometry.ts'
import { FinishError } from './error.ts'
import { valueAs } from './kinds.ts'
import { requireSlices, type Table, tableOf } from './tensor-table.ts'

const options = z
  .strictObject({
    /**
     * What the first numbers of a box mean; x runs along the grid's first axis. `deltas`: centre and size relative to anchors (RetinaNet, SSD,
     * region proposals).
     */
    format: z.enum(boxFormats),
    /** `pixels` of the model's input, or parts of its size (`normalised`). */
    coordinates: z.enum(['pixels', 'normalised']).default('pixels'),
    /** What a coordinate of 0 pixels means: the outer `corner` of the first pixel, or its `centre`. */
    origin: z.enum(['corner', 'centre']).default('corner'),
    /** `rows`: a box a row, [N, A]; `columns`: [A, N], as YOLOv8 and later export. Leading dimensions of 1 do not matter. */
    layout: z.enum(['rows', 'columns']).default('rows'),
    /**
     * Where scores are. Behind the box in the same row: one for each class (`classes`); an objectness and one for each class, that are multiplied
     * (`objectness-classes`, YOLOv3 to v7); a score and the class's index (`score-class`). Or another tensor of the model.
     */
    scores: z
      .union([
        z.enum(['classes', 'objectness-classes', 'score-class']),
        z.strictObject({ from: z.string().min(1), layout: z.enum(['rows', 'columns']).default('rows') }),
      ])
      .default('classes'),
    /** A tensor with the class's index of each box, where the scores are one a box; and the index of the first class in it. */
    classes: z.strictObject({ from: z.string().min(1), first: z.int().min(0).default(0) }).optional(),
    /** Applied to the scores of all classes. */
    activation: z.enum(['none', 'sigmoid', 'softmax']).default('none'),
    /** Which of the classes means that there is nothing; it is left out and not counted. */
    background: z.enum(['none', 'first', 'last']).default('none'),
    /** Boxes with a lower score are dropped. */
    minimumScore: z.number().default(0.05),
    /** A box a row, of the best class; or one for `every` class whose score is high enough. */
    perRow: z.enum(['best', 'every']).default('best'),
    /** Anchors, for `deltas`. */
    anchors: anchorOptions.optional(),
    /** Cuts boxes at the border of the image. Those that lie outside of it are dropped in any case. */
    clip: z.boolean().default(true),
    /** The best so many. */
    maximum: z.int().min(1).max(100_000).default(10_000),
  })
  .refine(
    ({ format, anchors }) => (format === 'deltas' || format === 'deltas-3d') === (anchors !== undefined),
    'anchors are expected for deltas, and only for them',
  )
type Options = z.output<typeof options>

/**
 * Boxes from the tensors of a detector. Of a tensor [S, N, A] that holds a table for each of the S > 1 slices of the grid, boxes lie in their
 * slices; else flat boxes lie in slice 0.
 */
export const decodeBoxes = finishStep({
  summary:
    'Boxes, scores and classes from the tensors of a detector: corners or centre and size, or deltas from anchors.',
  options,
  takes: ['tensor'],
  gives: 'boxes',
  needs: ({ scores, classes }) => [
    ...(typeof scores === 'object' ? [scores.from] : []),
    ...(classes ? [classes.from] : []),
  ],
  apply(value, given, context) {
    const tensor = valueAs('tensor', value, 'decode-boxes')
    const tables = tablesOf(tensor, given, context)
    const boxAnchors = given.anchors && anchorsOf(given.anchors, tensor.grid, formatSize(given.format).dimensions)
    const boxes: Box[] = []
    for (const [slice, table] of tables.entries())
      decode(table, { ...given, grid: tensor.grid, slice, boxAnchors }, boxes)
    keepBest(boxes, given.maximum)
    return { kind: 'boxes', grid: tensor.grid, boxes }
  },
})

/** The tensors of one slice, or of the whole image. */
interface Tables {
  boxes: Table
  scores: Table
  /** Column of the first score. */
  firstScore: number
  classes: Table | null
}

function tablesOf(
  tensor: ValueOf<'tensor'>,
  { format, layout, scores, classes }: Options,
  context: StepContext,
): Tables[] {
  const boxes = tableOf(tensor, layout, { who: 'decode-boxes' })
  requireSlices(boxes, tensor, 'decode-boxes')
  const { numbers } = formatSize(format)
  const { rows = 0, columns = 0 } = boxes[0] ?? {}
  if (rows > 0 && columns < numbers + (typeof scores === 'object' ? 0 : 1))
    throw new FinishError(
      'wrong-value',
      `decode-boxes: the tensor [${tensor.dims.join(', ')}] has ${columns} numbers a box, ${format} with its scores has more`,
    )
  const beside = (name: string, as: 'rows' | 'columns'): Table[] => {
    const other = valueAs('tensor', context.valueOf(name), 'decode-boxes')
    const tables = tableOf(other, as, { who: name, rows, tables: boxes.length })
    if (tables.length !== boxes.length || tables.some((table) => table.rows !== rows))
      throw new FinishError('wrong-value', `decode-boxes: ${name} is [${other.dims.join(', ')}], for ${rows} boxes`)
    return tables
  }
  const separate = typeof scores === 'object' ? beside(scores.from, scores.layout) : null
  const named = classes ? beside(classes.from, 'rows') : null
  return boxes.map((table, n) => ({
    boxes: table,
    scores: separate?.[n] ?? table,
    firstScore: separate ? 0 : numbers,
    classes: named?.[n] ?? null,
  }))
}

interface Decoding extends Options {
  grid: Grid
  slice: number
  boxAnchors: Float64Array | undefined
}

function decode(tables: Tables, how: Decoding, into: Box[]): void {
  const { grid, boxAnchors, format } = how
  const { numbers, dimensions } = formatSize(format)
  const { boxes } = tables
  if (boxAnchors && boxAnchors.length !== boxes.rows * numbers)
    throw new FinishError(
      'wrong-value',
      `decode-boxes: there are ${boxAnchors.length / numbers} anchors, and ${boxes.rows} rows in the tensor`,
    )
  const place = { ...how, dimensions }
  const box = new Float64Array(numbers)
  forEachScore(tables, how, (row, score, classIndex) => {
    for (let n = 0; n < numbers; n++) box[n] = boxes.at(row, n)
    if (boxAnchors && how.anchors)
      applyDeltas(box, boxAnchors.subarray(row * numbers, (row + 1) * numbers), how.anchors)
    const { from, to } = cornersOf(format, box)
    const whole: Box = {
      from: indexOfCoordinates(from, grid, place),
      to: indexOfCoordinates(to, grid, place),
      score,
      class: classIndex,
    }
    const inside = clipped(grid, whole)
    if (!inside) return
    into.push(how.clip ? inside : whole)
    // Every anchor of every class may have been let through.
    if (into.length >= 4 * how.maximum) keepBest(into, how.maximum)
  })
}

function keepBest(boxes: Box[], count: number): void {
  boxes.sort((a, b) => b.score - a.score)
  boxes.length = Math.min(boxes.length, count)
}

/** Calls `visit` for every row and class that is to become a box. */
function forEachScore(
  { boxes, scores, firstScore, classes }: Tables,
  { scores: where, classes: named, activation, background, minimumScore, perRow }: Decoding,
  visit: (row: number, score: number, classIndex: number) => void,
): void {
  const hasObjectness = where === 'objectness-classes'
  const start = firstScore + (hasObjectness ? 1 : 0)
  const isIndexed = where === 'score-class' || classes !== null
  const values = new Float64Array(isIndexed ? 1 : scores.columns - start)
  // Scores are single precision: 0.3 is the nearest of those.
  const least = Math.fround(minimumScore)
  const [low, high] = [background === 'first' ? 1 : 0, values.length - (background === 'last' ? 1 : 0)]
  const activate = (x: number): number => (activation === 'sigmoid' ? logistic(x) : x)
  for (let row = 0; row < boxes.rows; row++) {
    for (let c = 0; c < values.length; c++) values[c] = activate(scores.at(row, start + c))
    if (activation === 'softmax') softmaxInPlace(values)
    if (hasObjectness) {
      const objectness = activate(scores.at(row, firstScore))
      for (let c = 0; c < values.length; c++) values[c] = (values[c] as number) * objectness
    }
    if (isIndexed) {
      const index = Math.round(classes ? classes.at(row, 0) - (named?.first ?? 0) : scores.at(row, start + 1))
      const score = values[0] as number
      if (score >= least && index >= 0) visit(row, score, index)
      continue
    }
    let best = -1
    for (let c = low; c < high; c++) {
      const score = values[c] as number
      if (!(score >= least)) continue
      if (perRow === 'every') visit(row, score, c - low)
      else if (best < 0 || score > (values[best] as number)) best = c
    }
    if (best >= 0) visit(row, values[best] as number, best - low)
  }
}
