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
  /** Left out where the image is of the source series. */
  seriesInstanceUID?: string | undefined
}

/** An instance that an object refers to. */
export interface InstanceReference {
  /** Left out where the instance is of the job's study; else an earlier study. */
  studyInstanceUID?: string | undefined
  seriesInstanceUID: string
  sopClassUID: string
  sopInstanceUID: string
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
  /** From 1, without gaps; where the segmentation arrived and is measured only, the number that it gives the segment. */
  number: number
  /** Tracking identifier and UID that an arrived segmentation gives the segment; derived from the id when left out. */
  tracking?: { id: string; uid: string } | undefined
  definition: SegmentDefinition
  /**
   * `rows` x `columns` values, non-zero inside; null where the slice holds nothing. May be called more than once for a slice.
   * @param into an array of the same length whose memory may be used for the answer: who asks is done with it before the next question
   */
  maskOf(sliceIndex: number, into?: Uint8Array): Uint8Array | null
  /** Index of the slice that shows the segment best, or null when it is empty. */
  bestSlice: number | null
}

/** A number with its meaning. Radiomics features have the codes of the coding scheme IBSI. */
export interface MeasuredValue {
  code: Code
  /** A UCUM unit. */
  unit: Code
  /** Not finite: it could not be measured, and the report says so. */
  value: number
  /** Mean, total, … (CID 7464). */
  derivation?: Code | null
  /** For a change: what it is a change from. */
  comparison?: Comparison | null
}

export interface Measurement extends MeasuredValue {
  id: string
  name: string
  /** Id of the measured segment, or null where the value speaks of the whole input. */
  segment: string | null
  /** What the value is measured on, where it is measured on no single segment. */
  site?: Code | null
}

/** The value of an earlier examination that a change was computed with. */
export interface Comparison {
  /** The quantity that changed, as it was then. */
  code: Code
  /** UCUM. */
  unit: Code
  /** Not finite: it could not be measured then. */
  value: number
  prior: PriorExamination
}

/** An earlier series of the patient. */
export interface PriorExamination {
  studyInstanceUID: string
  seriesInstanceUID: string
  /** DA; null where the study does not say. */
  studyDate: string | null
  /** The images that the value was measured on, or the one that shows it best. */
  images: readonly SourceSlice[]
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
  /** It proves that something works and is of no use for patients: every result says so. */
  demonstrator?: boolean | undefined
}

export interface Predecessor {
  role: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
}

/** What every result object of a job needs, whatever is in it. */
export interface ResultContext {
  studyInstanceUID: string
  revision: number
  /** ISO 8601 UTC: the date and time of every result. */
  at: string
  predecessors: readonly Predecessor[]
  algorithm: Algorithm
  source: SourceSeries
  /** What was read besides the source: other series of the study, an earlier study. Reports list it among their evidence. */
  furtherInputs?: readonly InstanceReference[] | undefined
  /** What is critical about the findings; left out: nothing. Reports say so. */
  urgent?: { category: 1 | 2 | 3; sentence: string } | undefined
}

/** Everything the result objects of one job are made of. */
export interface EncodingInput extends ResultContext {
  segments: readonly SegmentMasks[]
  measurements: readonly Measurement[]
  /**
   * The segments of a slice in one array, where none overlap: `rows` x `columns` segment numbers, 0 outside of all; null where the slice
   * holds nothing. Segmentations are then written from it, several times faster than from one mask a segment. May be called more than
   * once for a slice, and may give the same array again with other contents.
   */
  labelsOf?: ((sliceIndex: number) => Uint8Array | null) | undefined
}

/** Which of several results of one role a result is: a pipeline may give two parametric maps. */
export interface OutputName {
  /** Names the output for ever: lower case letters, digits and hyphens. UIDs depend on it. */
  id: string
  /** Place among the outputs of its role, from 0; the series number depends on it. */
  ordinal: number
  /** What the Series Description says after the algorithm's title, up to 40 characters; what kind of result it is when left out. */
  title?: string | undefined
}

/** The planes that frames lie on: those of the source series, or others in its frame of reference. */
export interface ImagePlanes {
  rows: number
  columns: number
  /** Row spacing, column spacing, mm. */
  pixelSpacing: readonly number[] | null
  imageOrientationPatient: readonly number[] | null
  /** Centre of the first pixel of each plane, mm; null where it has no place. */
  positions: readonly (readonly number[] | null)[]
  /** Distance between the centres of neighbouring planes, mm. */
  sliceSpacing: number | null
  sliceThickness: number | null
}
