import type { Code } from '../dicom/codes.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'

/** One image of the source series. */
export interface SourceSlice {
  /** Absolute path of the instance's file. */
  file: string
  sopClassUID: string
  sopInstanceUID: string
  /** Frame number, from 1, in a multi-frame instance; null in a single-frame one. */
  frame: number | null
  /** Centre of the first pixel, mm, patient coordinates. */
  imagePositionPatient: readonly [number, number, number]
}

/** The series that was analysed, on its own grid: slices in order of their position along the normal. */
export interface SourceVolume {
  seriesInstanceUID: string
  slices: readonly SourceSlice[]
  /** Header of the first slice's instance, without pixel data. */
  header: DicomJson
  rows: number
  columns: number
  /** Row spacing, column spacing, mm. */
  pixelSpacing: readonly [number, number]
  /** Direction cosines of rows and columns. */
  imageOrientationPatient: readonly number[]
  /** Distance between the centres of neighbouring slices, mm. */
  sliceSpacing: number
}

/** What a segment is, in words and codes. */
export interface SegmentDefinition {
  label: string
  /** SegmentedPropertyCategory (CID 7150). */
  category: Code
  /** SegmentedPropertyType (CID 7151 and others). */
  type: Code
  /** Laterality and other modifiers of the type. */
  modifiers: readonly Code[]
  /** Red, green, blue, 0 to 255. */
  colour: readonly [number, number, number]
}

export interface InferredSegment {
  id: string
  /** From 1, without gaps. */
  number: number
  definition: SegmentDefinition
  voxels: number
  /**
   * The mask of one slice of the source grid: `rows` x `columns` values, 0 or 1; null where the slice holds nothing.
   * @param sliceIndex index into the source's `slices`
   */
  maskOf(sliceIndex: number): Uint8Array | null
  /** Index of the slice with the most voxels of the segment; null when it is empty. */
  bestSlice: number | null
}

export interface InferredMeasurement {
  id: string
  name: string
  code: Code
  /** A UCUM unit. */
  unit: Code
  value: number
  /** Id of the measured segment, or null where the value speaks of all of them together. */
  segment: string | null
  /** Mean, total, … (CID 7464). */
  derivation: Code | null
  /** The anatomy that a value without a segment speaks of. */
  site: Code | null
}

/** What a pipeline found in one series. Arrays stay in this process: masks are made slice by slice. */
export interface Inference {
  kind: 'inference'
  /** The execution provider that ran. */
  provider: string
  /** Sentences for the job's record: what was read, decided and fallen back to. No patient data. */
  log: string[]
  source: SourceVolume
  segments: InferredSegment[]
  measurements: InferredMeasurement[]
}

/** The pipeline's own judgement that the input is outside of what it declares; with the value and the limit. */
export interface Refusal {
  kind: 'refused'
  reason: string
  log: string[]
}
