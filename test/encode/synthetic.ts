import type { Code } from '../../src/dicom/codes.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { tagOf, vrOf } from '../../src/dicom/dictionary.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { deriveUID } from '../../src/dicom/uid.ts'
import type { EncodingInput, Measurement, SegmentMasks, SourceSlice } from '../../src/encode/encoding-input.ts'

const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })
const ucum = (value: string, meaning: string): Code => ({ value, scheme: 'UCUM', meaning })

export const lung = sct('39607008', 'Lung')
export const left = sct('7771000', 'Left')
export const right = sct('24028007', 'Right')
const anatomy = sct('91723000', 'Anatomical Structure')

export interface SyntheticOptions {
  study?: string
  rows?: number
  columns?: number
  slices?: number
  /** Keyword to value; strings, numbers, arrays of them, or arrays of items (keyword to value again). */
  header?: Record<string, unknown>
  orientation?: number[]
  /** All slices are frames of one instance. */
  multiFrame?: boolean
  /** A radiograph: one image without a place. */
  projection?: boolean
  revision?: number
  predecessors?: EncodingInput['predecessors']
  /** Makes the right lung empty. */
  emptySegment?: boolean
  digest?: string
}

/** A header in the DICOM JSON Model from keywords and plain values. */
export function headerOf(values: Record<string, unknown>): DicomJson {
  const header: DicomJson = {}
  for (const [keyword, value] of Object.entries(values)) {
    const tag = tagOf(keyword)
    if (tag === undefined) throw new Error(`${keyword} is no keyword`)
    const vr = vrOf(tag)
    const list = Array.isArray(value) ? value : [value]
    header[tag] = {
      vr,
      Value: list.map((v) => {
        if (vr === 'SQ') return headerOf(v as Record<string, unknown>)
        if (vr !== 'PN') return v
        const [Alphabetic, Ideographic, Phonetic] = String(v).split('=')
        return { Alphabetic, ...(Ideographic ? { Ideographic } : {}), ...(Phonetic ? { Phonetic } : {}) }
      }),
    }
  }
  return header
}

/** Two ellipsoids, the lungs, over a few dozen small slices, and the measurements that a lung pipeline gives. */
export function syntheticInput(options: SyntheticOptions = {}): EncodingInput {
  if (options.projection) return projectionInput(options)
  const { rows = 64, columns = 64, slices = 24, orientation = [1, 0, 0, 0, 1, 0] } = options
  const study = options.study ?? deriveUID('test', 'study')
  const series = deriveUID('test', study, 'series')
  const spacing = 2.5
  const normal = cross(orientation)
  const sourceSlices: SourceSlice[] = Array.from({ length: slices }, (_, index) => ({
    sopClassUID: options.multiFrame ? SOP.enhancedCTImage : SOP.ctImage,
    sopInstanceUID: deriveUID('test', series, options.multiFrame ? 'all' : String(index)),
    frame: options.multiFrame ? index + 1 : null,
    imagePositionPatient: [0, 1, 2].map((axis) => Number((-100 + index * spacing * (normal[axis] ?? 0)).toFixed(6))),
  }))
  const segments = [
    ellipsoid({ id: 'left-lung', number: 1, label: 'Left lung', side: left, centre: 0.7, rows, columns, slices }),
    ellipsoid({ id: 'right-lung', number: 2, label: 'Right lung', side: right, centre: 0.3, rows, columns, slices }),
  ]
  const second = segments[1]
  if (options.emptySegment && second) segments[1] = { ...second, maskOf: () => null, bestSlice: null }
  return {
    studyInstanceUID: study,
    revision: options.revision ?? 1,
    at: '2025-03-04T05:06:07.089Z',
    predecessors: options.predecessors ?? [],
    algorithm: {
      name: 'ct-lung-density',
      version: '1.0.0',
      digest: options.digest ?? `sha256:${'ab'.repeat(32)}`,
      title: 'CT lung density',
      manufacturer: 'Hilum',
      family: { value: '123104', scheme: 'DCM', meaning: 'Morphological Operations' },
    },
    source: {
      seriesInstanceUID: series,
      slices: sourceSlices,
      header: headerOf({ ...defaultHeader(study), ...options.header }),
      rows,
      columns,
      pixelSpacing: [0.75, 0.7],
      imageOrientationPatient: orientation,
      sliceSpacing: slices > 1 ? spacing : null,
    },
    segments,
    measurements: [...segments.flatMap((s) => measurementsOf(s.id)), ...measurementsOf(null)],
  }
}

function projectionInput({ projection: _, ...options }: SyntheticOptions): EncodingInput {
  const input = syntheticInput({ slices: 1, ...options })
  const slices = input.source.slices.map((slice) => ({
    ...slice,
    sopClassUID: SOP.digitalXRayImageForPresentation,
    imagePositionPatient: null,
  }))
  return { ...input, source: { ...input.source, slices, imageOrientationPatient: null, sliceSpacing: null } }
}

function defaultHeader(study: string): Record<string, unknown> {
  return {
    StudyDate: '20250102',
    StudyTime: '101112',
    AccessionNumber: 'A123',
    Modality: 'CT',
    ReferringPhysicianName: 'Refer^Red',
    StudyDescription: 'CT THORAX',
    PatientName: 'Test^Patient',
    PatientID: 'P-1',
    IssuerOfPatientID: 'HOSPITAL',
    PatientBirthDate: '19500101',
    PatientSex: 'O',
    BodyPartExamined: 'CHEST',
    SliceThickness: 2.5,
    StudyInstanceUID: study,
    StudyID: '77',
    FrameOfReferenceUID: deriveUID('test', study, 'frame'),
    PositionReferenceIndicator: 'SN',
  }
}

interface Ellipsoid {
  id: string
  number: number
  label: string
  side: Code
  centre: number
  rows: number
  columns: number
  slices: number
}

function ellipsoid({ id, number, label, side, centre, rows, columns, slices }: Ellipsoid): SegmentMasks {
  return {
    id,
    number,
    definition: { label, category: anatomy, type: lung, modifiers: [side], colour: [number * 90, 174, 128] },
    bestSlice: Math.floor(slices / 2),
    maskOf(sliceIndex) {
      const z = slices === 1 ? 0 : (sliceIndex - slices / 2) / (slices * 0.4)
      if (Math.abs(z) >= 1) return null
      const mask = new Uint8Array(rows * columns)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const x = (column - columns * centre) / (columns * 0.18)
          const y = (row - rows / 2) / (rows * 0.35)
          if (x * x + y * y + z * z < 1) mask[row * columns + column] = 1
        }
      return mask
    },
  }
}

function measurementsOf(segment: string | null): Measurement[] {
  const of = (id: string, name: string, code: Code, unit: Code, value: number, derivation?: Code): Measurement => ({
    id: segment ? `${segment}-${id}` : id,
    name,
    code,
    unit,
    value,
    segment,
    ...(derivation ? { derivation } : {}),
    ...(segment ? {} : { site: lung }),
  })
  return [
    of('volume', 'Volume', sct('118565006', 'Volume'), ucum('l', 'liter'), 2.123456789012345),
    of(
      'mean',
      'Mean lung density',
      { value: '112181', scheme: 'DCM', meaning: 'Mean Attenuation Coefficient' },
      ucum("[hnsf'U]", 'Hounsfield unit'),
      -856.1234567890123,
      sct('373098007', 'Mean'),
    ),
    of(
      'laa950',
      'LAA-950',
      { value: 'LAA-950', scheme: '99HILUM', meaning: 'Fraction of lung below -950 HU (LAA-950)' },
      ucum('%', 'Percent'),
      1 / 3,
    ),
  ]
}

function cross(o: readonly number[]): number[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = o
  return [b * f - c * e, c * d - a * f, a * e - b * d]
}

/** All chunks of an object in one buffer. */
export function bytesOf(object: { chunks: Iterable<Uint8Array> }): Buffer {
  return Buffer.concat([...object.chunks].map((chunk) => Buffer.from(chunk)))
}
