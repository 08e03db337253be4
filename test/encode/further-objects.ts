import type { Code } from '../../src/dicom/codes.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { type ColourCapture, capturePicture } from '../../src/encode/colour-capture.ts'
import type { EncodedObject } from '../../src/encode/encoded.ts'
import type { EncodingInput, Measurement } from '../../src/encode/encoding-input.ts'
import type { Finding, PlanarFinding } from '../../src/encode/finding.ts'
import { encodeOutput, type Output } from '../../src/encode/outputs.ts'
import type { ParametricMap } from '../../src/encode/parametric-map.ts'
import { planesOf } from '../../src/encode/planes.ts'
import { lung, right } from './synthetic.ts'

const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })
const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning })
export const noUnits: Code = { value: '1', scheme: 'UCUM', meaning: 'no units' }
const millimetre: Code = { value: 'mm', scheme: 'UCUM', meaning: 'millimeter' }
const nodule = sct('27925004', 'Nodule')
const pneumothorax = sct('36118008', 'Pneumothorax')
export const smoothing = dcm('113087', 'Smoothing')

/** Grey values of a made-up slice: a ramp with a bright stripe that tells slices apart. */
export function greyValues({ source: { rows, columns } }: EncodingInput, sliceIndex: number): Float32Array {
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < values.length; i++)
    values[i] = Math.floor(i / columns) === sliceIndex ? 400 : -1000 + ((i % columns) / columns) * 1200
  return values
}

/** A hill in the middle of the slice, 0 to 1. */
export function hill({ source: { rows, columns } }: EncodingInput, sliceIndex: number): Float32Array {
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < values.length; i++) {
    const x = ((i % columns) - columns / 2) / columns
    const y = (Math.floor(i / columns) - rows / 2) / rows
    values[i] = Math.exp(-8 * (x * x + y * y)) * (sliceIndex % 2 === 0 ? 1 : 0.5)
  }
  return values
}

export function sampleMap(input: EncodingInput): ParametricMap {
  return {
    quantity: { value: 'saliency', scheme: '99HILUM', meaning: 'Saliency' },
    unit: noUnits,
    derivation: { value: 'occlusion', scheme: '99HILUM', meaning: 'Occlusion sensitivity' },
    description: 'saliency',
    range: [0, 1],
    valuesOf: (plane) => hill(input, plane),
  }
}

export function sampleCapture(input: EncodingInput): ColourCapture {
  return {
    greyOf: (sliceIndex) => greyValues(input, sliceIndex),
    window: { center: -400, width: 1200 },
    segments: input.segments,
    heatMap: { name: 'Saliency', unit: '1', range: [0.2, 1], valuesOf: (sliceIndex) => hill(input, sliceIndex) },
  }
}

export const sampleFindings = (input: EncodingInput): PlanarFinding[] => {
  const { rows, columns, slices } = input.source
  const slice = Math.floor(slices.length / 2)
  const place = (x: number, y: number): { column: number; row: number } => ({ column: x * columns, row: y * rows })
  return [
    {
      id: 'nodule-1',
      label: 'Nodule 1',
      type: nodule,
      site: lung,
      modifiers: [right],
      probability: 0.87,
      slice,
      regions: [{ kind: 'box', left: 0.2 * columns, top: 0.3 * rows, right: 0.35 * columns, bottom: 0.45 * rows }],
      measurements: [{ code: sct('103339001', 'Long axis'), unit: millimetre, value: 7.25 }],
    },
    {
      id: 'nodule-2',
      label: 'Nodule 2',
      type: nodule,
      site: lung,
      probability: 0.41,
      slice,
      regions: [
        { kind: 'point', ...place(0.7, 0.6) },
        {
          kind: 'contour',
          points: [0.6, 0.5, 0.8, 0.5, 0.8, 0.7, 0.6, 0.7].map((v, i) => v * (i % 2 ? rows : columns)),
        },
      ],
    },
  ]
}

export const sampleClassification: Finding[] = [
  {
    id: 'pneumothorax',
    label: 'Pneumothorax',
    type: pneumothorax,
    site: lung,
    probability: 0.034,
    evaluations: [{ name: pneumothorax, value: sct('2667000', 'Absent') }],
  },
  { id: 'nodule', label: 'Nodule', type: nodule, probability: 0.91 },
]

/** Radiomics features of the first segment, and the change of its volume against an earlier study. */
export function furtherMeasurements(input: EncodingInput): Measurement[] {
  const segment = input.segments[0]?.id ?? null
  const volume = sct('118565006', 'Volume')
  const millilitre: Code = { value: 'ml', scheme: 'UCUM', meaning: 'milliliter' }
  return [
    {
      id: 'mean',
      name: 'Mean intensity',
      code: { value: 'Q4LE', scheme: 'IBSI', meaning: 'Mean intensity' },
      unit: noUnits,
      value: -812.345678901,
      segment,
    },
    {
      id: 'joint-entropy',
      name: 'Joint entropy',
      code: { value: 'TU9B', scheme: 'IBSI', meaning: 'Joint entropy' },
      unit: noUnits,
      value: 6.4,
      segment,
    },
    {
      id: 'change',
      name: 'Change of volume',
      code: { value: 'volume-change', scheme: '99HILUM', meaning: 'Relative change of volume' },
      unit: { value: '%', scheme: 'UCUM', meaning: 'Percent' },
      value: -12.5,
      segment,
      comparison: {
        code: volume,
        unit: millilitre,
        value: 2400,
        prior: {
          studyInstanceUID: '1.2.3.100',
          seriesInstanceUID: '1.2.3.100.1',
          studyDate: '20240102',
          images: [{ sopClassUID: SOP.ctImage, sopInstanceUID: '1.2.9.102', frame: null, imagePositionPatient: null }],
        },
      },
    },
  ]
}

export const radiomicsParameters = ['Interpolation: linear, 2 x 2 x 2 mm', 'Discretisation: fixed bin number, 32']

/** One output of every kind that is not among the results of a pipeline with segments and measurements. */
export function furtherOutputs(input: EncodingInput): Output[] {
  const { segments, measurements } = input
  const { slices } = input.source
  const volumetric = input.source.imageOrientationPatient !== null
  const capture = sampleCapture(input)
  const middle = Math.floor(slices.length / 2)
  const findings = sampleFindings(input)
  const outputs: Output[] = [
    { kind: 'segmentation', format: 'binary', segments },
    { kind: 'segmentation', format: 'labelmap', segments },
    { kind: 'segmentation', format: 'labelmap', segments, compression: 'none', output: { id: 'native', ordinal: 1 } },
    {
      kind: 'segmentation',
      format: 'fractional',
      segments,
      probabilityOf: (_, sliceIndex) => hill(input, sliceIndex),
    },
    {
      kind: 'measurement-report',
      segments,
      measurements: furtherMeasurements(input),
      parameters: radiomicsParameters,
    },
    {
      kind: 'measurement-report',
      segments,
      measurements: measurements.filter((m) => m.segment !== null),
      segmentation: null,
      output: { id: 'in-words', ordinal: 1, title: 'lungs without masks' },
    },
    { kind: 'planar-report', findings },
    { kind: 'classification-report', findings: sampleClassification, images: slices.slice(middle, middle + 1) },
    {
      kind: 'presentation-state',
      annotations: findings.map(({ slice, regions, label, probability }) => ({
        slice,
        regions,
        text: `${label}: ${probability}`,
      })),
      window: { center: -400, width: 1200, explanation: 'Lung' },
    },
    { ...capture, kind: 'colour-capture' },
    { ...capture, kind: 'colour-capture', slices: [middle], output: { id: 'key', ordinal: 1 } },
    {
      kind: 'derived-images',
      derivations: [smoothing],
      description: 'denoised',
      valuesOf: (plane) => greyValues(input, plane),
    },
    {
      kind: 'summary-pdf',
      blocks: [
        { kind: 'heading', text: 'Measurements' },
        {
          kind: 'table',
          header: true,
          widths: [3, 1, 1],
          rows: [
            ['Measurement', 'Value', 'Unit'],
            ...measurements.map(({ name, value, unit }) => [name, value.toFixed(2), unit.meaning]),
          ],
        },
        { kind: 'paragraph', text: 'Dichte der Lunge, größer als 0 – von links nach rechts.' },
        { kind: 'picture', picture: capturePicture(input, capture, middle), caption: `Image ${middle + 1}` },
      ],
    },
    { kind: 'key-images', description: 'Nodule 1', images: slices.slice(middle, middle + 2) },
    { kind: 'nifti', voxels: 'labels', planes: planesOf(input.source), sliceOf: (plane) => labelsOf(input, plane) },
    { kind: 'json', segments, measurements, findings },
  ]
  if (!volumetric) return outputs
  return [...outputs, { kind: 'parametric-map', ...sampleMap(input) }, { kind: 'structure-set', segments }]
}

/** Numbers of the segments of a slice; the first of several wins. */
export function labelsOf({ source: { rows, columns }, segments }: EncodingInput, sliceIndex: number): Uint8Array {
  const labels = new Uint8Array(rows * columns)
  for (const segment of [...segments].reverse())
    segment.maskOf(sliceIndex)?.forEach((inside, i) => {
      if (inside) labels[i] = segment.number
    })
  return labels
}

/** The DICOM objects of those outputs, one after the other. */
export function* furtherObjects(input: EncodingInput): Generator<EncodedObject> {
  for (const output of furtherOutputs(input))
    for (const result of encodeOutput(input, output)) if (result.kind === 'object') yield result
}
