import type { Code } from '../dicom/codes.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'

/** One image of the source series, in the order of the volume. */
export interface SourceSlice {
  sopClassUID: string
  sopInstanceUID: string
  /** Frame number, from 1, in a multi-frame instance; null in a single-frame one. */
  frame: number | null
  /** Centre of the first pixel, mm; null where the source has no position (a projection image). */
  imagePositionPatient: readonly number[] | null
}

/** The series that was analysed; results lie on its own grid. */
export interface SourceSeries {
  seriesInstanceUID: string
  slices: readonly SourceSlice[]
  /** Header of the first slice's instance: patient, study and acquisition attributes are copied from it. */
  header: DicomJson
  rows: number
  columns: number
  /** Row spacing, column spacing, mm. */
  pixelSpacing: readonly number[] | null
  /** Direction cosines of rows and columns. */
  imageOrientationPatient: readonly number[] | null
  /** Distance between the centres of neighbouring slices, mm; null for a single slice. */
  sliceSpacing: number | null
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
  colour: readonly number[]
}

export interface SegmentMasks {
  /** Names the segment for ever: tracking UIDs depend on it. */
  id: string
  /** From 1, without gaps. */
  number: number
  definition: SegmentDefinition
  /** `rows` x `columns` values, non-zero inside; null where the slice holds nothing. May be called more than once for a slice. */
  maskOf(sliceIndex: number): Uint8Array | null
  /** Index of the slice that shows the segment best, or null when it is empty. */
  bestSlice: number | null
}

export interface Measurement {
  id: string
  name: string
  code: Code
  /** A UCUM unit. */
  unit: Code
  /** Not finite: it could not be measured, and the report says so. */
  value: number
  /** Id of the measured segment, or null where the value speaks of the whole input. */
  segment: string | null
  /** Mean, total, … (CID 7464). */
  derivation?: Code | null
  /** What the value is measured on, where it is measured on no single segment. */
  site?: Code | null
}

/** The algorithm, as every result names it. */
export interface Algorithm {
  /** Name of the pipeline. */
  name: string
  version: string
  /** `sha256:…` over every file of the pipeline; whatever changes it makes another device. */
  digest: string
  /** Words for people: the beginning of every Series Description. */
  title: string
  /** Who made the algorithm. */
  manufacturer: string
  /** CID 7162; artificial intelligence when the pipeline says nothing. */
  family?: Code | null | undefined
}

export interface Predecessor {
  role: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
}

/** Everything the result objects of one job are made of. */
export interface EncodingInput {
  studyInstanceUID: string
  revision: number
  /** ISO 8601 UTC: the date and time of every result. */
  at: string
  predecessors: readonly Predecessor[]
  algorithm: Algorithm
  source: SourceSeries
  segments: readonly SegmentMasks[]
  measurements: readonly Measurement[]
}
