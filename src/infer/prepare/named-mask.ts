import { refusal } from '../error.ts'
import { type Grid, voxelsOf } from '../image.ts'
import type { StepContext } from '../step.ts'
import { labelsOnto, resampleOnto } from './resample.ts'

/**
 * The mask that another value of the pipeline is, on an image's grid: not 0 where there is a label, or where the first channel of an image
 * is above 0.5.
 * @param labels those that count; all where left out
 * @throws {InferError} `refused` where the value is no mask
 */
export function maskOn(
  grid: Grid,
  name: string,
  context: Pick<StepContext, 'valueOf'>,
  labels?: readonly number[],
): Uint8Array {
  const value = context.valueOf(name)
  if (value.kind === 'labels') {
    const map = labelsOnto(labels ? onlyLabels(value.labels, labels) : value.labels, grid)
    return map.labels
  }
  if (value.kind !== 'image') throw refusal(`${name} is no mask: it is of the kind ${value.kind}`)
  const first = { ...value.image, channels: 1, data: value.image.data.subarray(0, voxelsOf(value.image.grid)) }
  const { data } = resampleOnto(first, grid, { outside: 0 })
  const mask = new Uint8Array(voxelsOf(grid))
  for (let i = 0; i < mask.length; i++) mask[i] = (data[i] as number) > 0.5 ? 1 : 0
  return mask
}

function onlyLabels(map: { grid: Grid; labels: Uint8Array }, wanted: readonly number[]) {
  const table = new Uint8Array(256)
  for (const label of wanted) table[label] = 1
  const labels = new Uint8Array(map.labels.length)
  for (let i = 0; i < labels.length; i++) labels[i] = table[map.labels[i] as number] as number
  return { grid: map.grid, labels }
}
