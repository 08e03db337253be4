import { itemsOf, numberOf, numbersOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import type { Voxels } from './gather.ts'
import { groupsOf, tableEntries } from './header.ts'

/** How modality values become values of interest (PS3.3 C.11.2). */
export type VoiTransform =
  | { kind: 'table'; first: number; entries: Float64Array; greatest: number }
  | { kind: 'window'; centre: number; width: number; shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID' }

/**
 * The transformation that the header gives.
 * @param index which of several alternatives, from 0
 * @throws {InferError} `refused` where there is none, or it cannot be used
 */
export function voiOf(header: DicomJson, source: 'auto' | 'lut' | 'window', index: number): VoiTransform {
  const holders = groupsOf(header, 'FrameVOILUTSequence')
  if (source !== 'window') {
    const items = holders.map((holder) => itemsOf(holder, 'VOILUTSequence')).find((found) => found.length > 0) ?? []
    if (items.length > 0) return tableOf(header, chosen(items, index, 'VOI LUT Sequence'))
    if (source === 'lut') throw refusal('the image has no VOI LUT Sequence')
  }
  const holder = holders.find((group) => numbersOf(group, 'WindowCenter').length > 0)
  if (!holder)
    throw refusal(
      source === 'auto' ? 'the image has neither VOI LUT Sequence nor Window Center' : 'the image has no Window Center',
    )
  return windowOf(holder, index)
}

function chosen<T>(alternatives: readonly T[], index: number, what: string): T {
  const found = alternatives[index]
  if (found === undefined)
    throw refusal(`alternative ${index} of ${what} is wanted, the image has ${alternatives.length}`)
  return found
}

function windowOf(holder: DicomJson, index: number): VoiTransform {
  const centre = chosen(numbersOf(holder, 'WindowCenter'), index, 'Window Center')
  const width = chosen(numbersOf(holder, 'WindowWidth'), index, 'Window Width')
  const shape = textOf(holder, 'VOILUTFunction') ?? 'LINEAR'
  if (shape !== 'LINEAR' && shape !== 'LINEAR_EXACT' && shape !== 'SIGMOID')
    throw refusal(`VOI LUT Function ${shape.slice(0, 16)} is not known`)
  const least = shape === 'LINEAR' ? 1 : 0
  if (!(width > 0) || width < least) throw refusal(`Window Width is ${width}, at least ${least} is expected`)
  return { kind: 'window', centre, width, shape }
}

function tableOf(header: DicomJson, item: DicomJson): VoiTransform {
  const [count = 0, first = 0, bits = 0] = numbersOf(item, 'LUTDescriptor')
  if (bits < 1 || bits > 16) throw refusal(`LUT Descriptor of the VOI LUT says ${bits} bits, 1 to 16 are expected`)
  // 0 stands for 65536 entries; the first value is signed where pixels or rescaled values are (PS3.3 C.11.2.1.1).
  const length = count === 0 ? 65536 : count
  const isSigned = numberOf(header, 'PixelRepresentation') === 1 || (numberOf(header, 'RescaleIntercept') ?? 0) < 0
  const entries = tableEntries(item, 'LUTData', { count: length, bits })
  if (!entries) throw refusal(`LUT Data of the VOI LUT does not hold ${length} entries in the header`)
  return { kind: 'table', first: isSigned && first > 32767 ? first - 65536 : first, entries, greatest: 2 ** bits - 1 }
}

/** Applies a transformation; the result lies within `output`. Source and target may be the same. */
export function applyVoi(
  source: Voxels,
  target: Float32Array,
  voi: VoiTransform,
  [low, high]: readonly [number, number],
): void {
  const range = high - low
  if (voi.kind === 'table') {
    const table = voi.entries.map((entry) => low + (range * entry) / voi.greatest)
    const last = table.length - 1
    for (let i = 0; i < target.length; i++) {
      const at = Math.round(source[i] as number) - voi.first
      target[i] = table[at < 0 ? 0 : at > last ? last : at] as number
    }
    return
  }
  const { centre, width, shape } = voi
  if (shape === 'SIGMOID') {
    for (let i = 0; i < target.length; i++)
      target[i] = low + range / (1 + Math.exp((-4 * ((source[i] as number) - centre)) / width))
    return
  }
  // PS3.3 C.11.2.1.2.1: LINEAR counts whole values, from the middle of the first to the middle of the last.
  const from = shape === 'LINEAR' ? centre - 0.5 - (width - 1) / 2 : centre - width / 2
  const span = shape === 'LINEAR' ? width - 1 : width
  for (let i = 0; i < target.length; i++) {
    const part = span === 0 ? ((source[i] as number) > from ? 1 : 0) : ((source[i] as number) - from) / span
    target[i] = low + range * (part < 0 ? 0 : part > 1 ? 1 : part)
  }
}
