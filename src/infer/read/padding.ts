import { numberOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'

/** Stored values that are no pixels. */
export interface Padding {
  from: number
  to: number
}

/** Pixel Padding Value, or the range up to its Range Limit (PS3.3 C.7.5.1.1.2); null where there is none. */
export function paddingOf(elements: DicomJson, signed: boolean): Padding | null {
  // Some writers give US for signed pixels.
  const fit = (value: number): number =>
    signed && value > 32767 ? value - 65536 : !signed && value < 0 ? value + 65536 : value
  const value = numberOf(elements, 'PixelPaddingValue')
  if (value === null) return null
  const limit = numberOf(elements, 'PixelPaddingRangeLimit') ?? value
  return { from: Math.min(fit(value), fit(limit)), to: Math.max(fit(value), fit(limit)) }
}
