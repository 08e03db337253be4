import { numbersOf, textOf } from '../dicom/dataset.ts'
import { HilumError } from '../errors.ts'
import { type Image, voxelsOf } from '../infer/image.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { OpenedInput } from '../infer/read/opened-input.ts'
import type { Case } from './cases.ts'
import type { CaseResult, Sketch } from './evaluation.ts'
import { quantile } from './metrics/distribution.ts'
import { openFirst } from './run-case.ts'

/** A case with the grey image of what its sketch shows. */
export interface WorstCase {
  result: CaseResult
  sketch: Sketch
  /** The sketch's crop, one byte a pixel. */
  grey: Uint8Array
}

/** The compared cases with the greatest errors, worst first, with their images: each is read again. */
export async function worstCases(
  results: readonly CaseResult[],
  { cases, pipeline, most, threads }: { cases: readonly Case[]; pipeline: Pipeline; most: number; threads: number },
): Promise<WorstCase[]> {
  const chosen = results
    .filter(({ outcome, error }) => outcome === 'compared' && error > 0)
    .sort((a, b) => b.error - a.error)
    .slice(0, most)
  const worst: WorstCase[] = []
  for (const result of chosen) {
    const of = cases.find(({ name }) => name === result.name)
    if (!of || !result.sketch) continue
    try {
      const opened = await openFirst(of, pipeline)
      if (!opened) continue
      const image = await opened.read({ threads })
      worst.push({ result, sketch: result.sketch, grey: greyOf(image, opened, result.sketch) })
    } catch (error) {
      // It was read before: what changed since is no reason to lose the report.
      if (!(error instanceof HilumError)) throw error
    }
  }
  return worst
}

function greyOf({ grid, data }: Image, { source }: OpenedInput, { slice, columns, crop }: Sketch): Uint8Array {
  const [left, top, width, height] = crop
  const plane = grid.size[0] * grid.size[1]
  const pixels = data.subarray(slice * plane, Math.min((slice + 1) * plane, voxelsOf(grid)))
  const [low, high] = windowOf(pixels, source.header)
  const inverted = textOf(source.header, 'PhotometricInterpretation') === 'MONOCHROME1'
  const grey = new Uint8Array(width * height)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const value = pixels[(top + row) * columns + left + column] as number
      const part = Math.min(1, Math.max(0, (value - low) / (high - low)))
      grey[row * width + column] = Math.round(255 * (inverted ? 1 - part : part))
    }
  return grey
}

/** The first window of a CT's header, which is in Hounsfield units as the values are; of others what lies between 1 % and 99 % of the pixels. */
function windowOf(pixels: ArrayLike<number>, header: OpenedInput['source']['header']): [number, number] {
  const [center] = numbersOf(header, 'WindowCenter')
  const [width] = numbersOf(header, 'WindowWidth')
  if (textOf(header, 'Modality') === 'CT' && center !== undefined && width !== undefined && width > 1)
    return [center - width / 2, center + width / 2]
  const sorted = Float64Array.from(pixels).sort()
  const [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)]
  return [low, high > low ? high : low + 1]
}
