import { itemsOf, numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import type { Voxels } from './gather.ts'
import { macroItems, tableEntries } from './header.ts'

/** How stored values become values of the real world (PS3.3 C.7.6.16.2.11): by a line, or by a table. */
export interface RealWorldValueMapping {
  /** Stored values that are mapped. */
  first: number
  last: number
  slope: number
  intercept: number
  /** Values of `first` up to `last`, in the place of the line. */
  entries: Float64Array | null
}

/**
 * The mapping that the header gives.
 * @param wanted unit (UCUM code, as `mm2/s`) or LUT Label; left out: the first mapping
 * @throws {InferError} `refused` where there is none that is wanted, or an attribute of it is missing
 */
export function realWorldValueMapping(
  header: DicomJson,
  wanted: { unit?: string | undefined; label?: string | undefined },
): RealWorldValueMapping {
  const items = macroItems(header, 'RealWorldValueMappingSequence')
  if (items.length === 0) throw refusal('the image has no Real World Value Mapping Sequence')
  const item = items.find(
    (mapping) =>
      (wanted.unit === undefined || unitOf(mapping) === wanted.unit) &&
      (wanted.label === undefined || textOf(mapping, 'LUTLabel') === wanted.label),
  )
  if (!item) {
    const units = items.map((mapping) => unitOf(mapping) ?? 'no unit').join(', ')
    throw refusal(
      `the image has no real world value mapping to ${wanted.unit ?? 'that label'}: there are mappings to ${units}`,
    )
  }
  const first = limitOf(item, 'First')
  const last = limitOf(item, 'Last')
  const slope = numberOf(item, 'RealWorldValueSlope')
  const intercept = numberOf(item, 'RealWorldValueIntercept')
  if (slope !== null && intercept !== null) return { first, last, slope, intercept, entries: null }
  // FD entries: there is no narrower form.
  const entries = tableEntries(item, 'RealWorldValueLUTData', { count: last - first + 1, bits: 64 })
  if (!entries)
    throw refusal(`a real world value mapping has no Real World Value ${slope === null ? 'Slope' : 'Intercept'}`)
  return { first, last, slope: 1, intercept: 0, entries }
}

function unitOf(item: DicomJson): string | null {
  const [code] = itemsOf(item, 'MeasurementUnitsCodeSequence')
  return code ? textOf(code, 'CodeValue') : null
}

function limitOf(item: DicomJson, which: 'First' | 'Last'): number {
  const limit =
    numberOf(item, `RealWorldValue${which}ValueMapped`) ??
    numberOf(item, `DoubleFloatRealWorldValue${which}ValueMapped`)
  if (limit === null) throw refusal(`a real world value mapping has no Real World Value ${which} Value Mapped`)
  return limit
}

/** Maps stored values; those outside of the mapping become `unmapped`. @returns how many did */
export function applyRealWorldValue(
  source: Voxels,
  target: Float32Array,
  { first, last, slope, intercept, entries }: RealWorldValueMapping,
  unmapped: number,
): number {
  let outside = 0
  for (let i = 0; i < target.length; i++) {
    const stored = source[i] as number
    if (stored < first || stored > last) {
      outside++
      target[i] = unmapped
    } else target[i] = entries ? (entries[Math.round(stored) - first] as number) : stored * slope + intercept
  }
  return outside
}
