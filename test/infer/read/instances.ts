import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodeDataSet } from '../../../src/dicom/data-set-writer.ts'
import { encodeFileMeta } from '../../../src/dicom/part10.ts'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { TS } from '../../../src/dicom/transfer-syntax.ts'
import type { Image } from '../../../src/infer/image.ts'
import { type ImageInput, inputSchema } from '../../../src/infer/manifest/input.ts'
import { openInput } from '../../../src/infer/read/open-input.ts'
import type { OpenedInput } from '../../../src/infer/read/opened-input.ts'

let count = 0

/** Writes an instance of 2 x 2 pixels of 16 bits, CT unless something else is said. */
export function writeInstance(
  folder: string,
  name: string,
  elements: Record<string, unknown>,
  pixels: ArrayBufferView,
): string {
  const file = path.join(folder, name)
  const natural: Record<string, unknown> = {
    SOPClassUID: SOP.ctImage,
    SOPInstanceUID: `2.25.${++count}`,
    SeriesInstanceUID: '2.25.1000',
    StudyInstanceUID: '2.25.100',
    Modality: 'CT',
    FrameOfReferenceUID: '2.25.10',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 2,
    Columns: 2,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 0,
    ...elements,
    PixelData: pixels,
  }
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: String(natural.SOPClassUID),
    mediaStorageSOPInstanceUID: String(natural.SOPInstanceUID),
    transferSyntaxUID: TS.explicitVRLittleEndian,
  })
  writeFileSync(file, Buffer.concat([meta, encodeDataSet(natural, TS.explicitVRLittleEndian)]))
  return file
}

/** Where a slice of 1 mm lies, with a rescale to HU. */
export function slice(z: number, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    SliceThickness: '1',
    PixelSpacing: ['1', '1'],
    ImagePositionPatient: ['0', '0', String(z)],
    ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
    RescaleSlope: '1',
    RescaleIntercept: '-1024',
    ...change,
  }
}

export interface Opened extends OpenedInput {
  image: Image
  log: string[]
}

/** Opens files as an input that a manifest declares, and reads their pixels. */
export async function open(files: string[], declared: Record<string, unknown>): Promise<Opened> {
  const input = inputSchema.parse({ name: 'given', modality: 'CT', ...declared }) as ImageInput
  const log: string[] = []
  const opened = await openInput({ seriesInstanceUID: '2.25.1000', files }, input, { log })
  return { ...opened, image: await opened.read({ threads: 1 }), log }
}
