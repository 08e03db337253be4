import type { InstanceFile } from '../../dicom/instance-file.ts'
import { transferSyntax } from '../../dicom/transfer-syntax.ts'
import { InferError } from '../error.ts'
import type { FrameFormat, StoredValues } from './decode.ts'
import { paletteReader } from './palette.ts'

/** Makes red, green and blue of a frame's stored values, 0 to 255, pixel by pixel. */
export type ColourReader = (stored: StoredValues) => Uint8Array

export function isColour({ samplesPerPixel, photometricInterpretation }: FrameFormat): boolean {
  return samplesPerPixel > 1 || photometricInterpretation === 'PALETTE COLOR'
}

/**
 * How a frame's stored values become colours (PS3.3 C.7.6.3.1.2).
 * @throws {InferError} `unsupported-pixels` for a photometric interpretation that is not known
 */
export async function colourReader(file: InstanceFile, format: FrameFormat): Promise<ColourReader> {
  const { photometricInterpretation: photometric } = format
  if (photometric === 'PALETTE COLOR') return await paletteReader(file)
  const compressed = transferSyntax(format.transferSyntaxUID).encapsulated
  // The decoders of JPEG and JPEG 2000 give red, green and blue whatever was inside.
  if (photometric === 'RGB' || photometric === 'YBR_RCT' || photometric === 'YBR_ICT') return interleaved(format)
  if (photometric === 'YBR_FULL') {
    const values = interleaved(format)
    return (stored) => fromYBR(values(stored))
  }
  if (photometric === 'YBR_FULL_422') {
    const values = interleaved(format)
    return compressed ? (stored) => fromYBR(values(stored)) : (stored) => fromYBR(upsampled(stored, format))
  }
  throw new InferError('unsupported-pixels', `the photometric interpretation is ${photometric}`)
}

/** Samples pixel by pixel, in 8 bits. */
function interleaved({ planarConfiguration, rows, columns, bitsStored, transferSyntaxUID }: FrameFormat): ColourReader {
  const pixels = rows * columns
  const shift = Math.max(0, bitsStored - 8)
  // Compressed frames come with their samples pixel by pixel, whatever the header says.
  const planar = planarConfiguration === 1 && !transferSyntax(transferSyntaxUID).encapsulated
  return (stored) => {
    const rgb = new Uint8Array(pixels * 3)
    for (let channel = 0; channel < 3; channel++)
      for (let i = 0; i < pixels; i++)
        rgb[i * 3 + channel] = (stored[planar ? channel * pixels + i : i * 3 + channel] as number) >> shift
    return rgb
  }
}

/** Two pixels share their chrominance: Y1 Y2 Cb Cr. */
function upsampled(stored: StoredValues, { rows, columns }: FrameFormat): Uint8Array {
  const pixels = rows * columns
  const ybr = new Uint8Array(pixels * 3)
  for (let pair = 0; pair * 2 < pixels; pair++)
    for (let n = 0; n < 2; n++) {
      const at = (pair * 2 + n) * 3
      ybr[at] = stored[pair * 4 + n] as number
      ybr[at + 1] = stored[pair * 4 + 2] as number
      ybr[at + 2] = stored[pair * 4 + 3] as number
    }
  return ybr
}

/** In place. */
function fromYBR(values: Uint8Array): Uint8Array {
  const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)))
  for (let i = 0; i < values.length; i += 3) {
    const y = values[i] as number
    const cb = (values[i + 1] as number) - 128
    const cr = (values[i + 2] as number) - 128
    values[i] = clamp(y + 1.402 * cr)
    values[i + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr)
    values[i + 2] = clamp(y + 1.772 * cb)
  }
  return values
}
