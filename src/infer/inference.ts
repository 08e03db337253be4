import type { Code } from '../dicom/codes.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { OutputManifest } from './manifest/output.ts'

/** One image of the source series. */
export interface SourceSlice {
  /** Absolute path of the instance's file. */
  file: string
  sopClassUID: string
  sopInstanceUID: string
  /** Frame number, from 1, in a multi-frame instance; null in a single-frame one. */
  frame: number | null
  /** Centre of the first pixel, mm, patient coordinates; null where the image has no place. */
  imagePositionPatient: readonly [number, number, number] | null
  /** Left out where the image is of the source series; else another series of the study. */
  seriesInstanceUID?: string
}

/** The series that was analysed, on its own grid: slices in order of their position along the normal, or frames in their order. */
export interface SourceSeries {
  seriesInstanceUID: string
  slices: readonly SourceSlice[]
  /** Header of the first slice's instance, without pixel data. */
  header: DicomJson
  rows: number
  columns: number
  /** Row spacing, column spacing, mm; null where it is not known. */
  pixelSpacing: readonly [number, number] | null
  /** Direction cosines of rows and columns; null where the images have no place. */
  imageOrientationPatient: readonly number[] | null
  /** Distance between the centres of neighbouring slices, mm; null where there is one, or they lie in no order in space. */
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
  colour: readonly [number, number, number]
}

export interface InferredSegment {
  id: string
  /** From 1, without gaps; of a segmentation that arrived, the number there. */
  number: number
  /** What a segmentation that arrived calls the segment. */
  tracking?: { id: string; uid: string }
  definition: SegmentDefinition
  voxels: number
  /**
   * The mask of one slice of the source grid: `rows` x `columns` values, 0 or 1; null where the slice holds nothing.
   * @param sliceIndex index into the source's `slices`
   * @param into an array of the same length that the mask may be put into
   */
  maskOf(sliceIndex: number, into?: Uint8Array): Uint8Array | null
  /** Index of the slice with the most voxels of the segment; null when it is empty. */
  bestSlice: number | null
}

/** An earlier series of the patient. */
export interface PriorExamination {
  studyInstanceUID: string
  seriesInstanceUID: string
  /** DA; null where the study does not say. */
  studyDate: string | null
  /** The image that shows best what was measured. */
  images: readonly SourceSlice[]
}

/** What a change is a change from. */
export interface Comparison {
  code: Code
  /** UCUM. */
  unit: Code
  value: number
  prior: PriorExamination
}

export interface InferredMeasurement {
  id: string
  name: string
  code: Code
  /** A UCUM unit. */
  unit: Code
  /** Not finite where it could not be measured. */
  value: number
  /** Id of the measured segment, or null where the value speaks of all of them together, or of the whole input. */
  segment: string | null
  /** Mean, total, … (CID 7464). */
  derivation: Code | null
  /** The anatomy that a value without a segment speaks of. */
  site: Code | null
  /** For a change: the value that it is a change from. */
  comparison: Comparison | null
  /** Input whose study was measured: of an earlier one, results speak only where they compare. */
  origin: string
}

/** A place on an image, in pixels from the top left corner of its first pixel, column before row (PS3.3 C.18.6.1.2). */
export type Region =
  | { kind: 'box'; left: number; top: number; right: number; bottom: number }
  | { kind: 'point'; column: number; row: number }

/** Something found: by a classifier in the input as a whole, or by a detector at a place. */
export interface InferredFinding {
  /** Names the finding within the study for ever. */
  id: string
  label: string
  type: Code
  site: Code | null
  modifiers: readonly Code[]
  /** 0 to 1. */
  probability: number
  /** False where the score is below the class's threshold. */
  found: boolean
  evaluations: readonly { name: Code; value: Code }[]
}

/** Something that a detector found. */
export interface LocatedFinding extends InferredFinding {
  /** Index of the slice in the source. */
  slice: number
  regions: readonly Region[]
}

/** An instance that was read besides the source. */
export interface InstanceReference {
  /** Left out where the instance is of the job's study. */
  studyInstanceUID?: string
  seriesInstanceUID: string
  sopClassUID: string
  sopInstanceUID: string
}

/** What a pipeline found. Arrays stay in this process: masks and values are made slice by slice, output by output. */
export interface Inference {
  kind: 'inference'
  /** What ran: execution providers and servers. */
  provider: string
  /** Sentences for the job's record: what was read, decided and fallen back to. No patient data. */
  log: string[]
  /** The series that results speak of where an output says nothing else. */
  source: SourceSeries
  /** Of this study, on the grid of the source. */
  segments: InferredSegment[]
  measurements: InferredMeasurement[]
  /** What classifiers said. */
  classifications: InferredFinding[]
  /** The outputs that are wanted, made one after the other: each must be written before the next is asked for. */
  outputs(): Iterable<InferredOutput>
}

/** The pipeline's own judgement that the input is outside of what it declares; with the value and the limit. */
export interface Refusal {
  kind: 'refused'
  reason: string
  log: string[]
}

/** A picture's grey image and what is laid over it. */
export interface InferredPicture {
  /** Values of a slice, `rows` x `columns`. */
  greyOf(slice: number): ArrayLike<number>
  window: { center: number; width: number; inverted: boolean }
  /** Values of the heat map, on the grid of the source; null where there is none. */
  heatOf: ((slice: number) => Float32Array) | null
}

/** Planes that values lie on. */
export interface InferredPlanes {
  rows: number
  columns: number
  pixelSpacing: readonly [number, number]
  imageOrientationPatient: readonly number[]
  positions: readonly (readonly [number, number, number])[]
  sliceSpacing: number | null
  sliceThickness: number | null
}

/** An output of the manifest with what it is made of; what a kind of output has no use for is empty. */
export interface InferredOutput {
  output: OutputManifest
  /** Place among the outputs of its kind and format, from 0. */
  ordinal: number
  source: SourceSeries
  /** Other series that were read. */
  furtherInputs: readonly InstanceReference[]
  segments: readonly InferredSegment[]
  /** The segments of a slice in one array, by their numbers; null where they come of several label maps. */
  labelsOf: ((slice: number) => Uint8Array | null) | null
  /** Probability of a segment, by its id. */
  probabilityOf: (segment: string, slice: number) => Float32Array | null
  measurements: readonly InferredMeasurement[]
  findings: readonly LocatedFinding[]
  classification: readonly InferredFinding[]
  /** Planes of their own; null: those of the source. */
  planes: InferredPlanes | null
  /** Values of a plane: of an image, or labels. */
  valuesOf: ((plane: number) => Float32Array | Int16Array | Uint8Array) | null
  /** True where these are labels. */
  holdsLabels: boolean
  picture: InferredPicture | null
  /** The segmentation that the measured segments come from, where it arrived as an input. */
  arrived: InstanceReference | null
  /** Settings that measurements depend on, a line each. */
  parameters: readonly string[]
}
