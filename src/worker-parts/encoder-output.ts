import type { ColourCapture } from '../encode/colour-capture.ts'
import type { ResultContext } from '../encode/encoding-input.ts'
import type { MeasuredSegmentation } from '../encode/measurement-report.ts'
import type { Output } from '../encode/outputs.ts'
import { planesOf } from '../encode/planes.ts'
import type { InferredOutput } from '../infer/inference.ts'
import type { OutputOf, OverlayManifest } from '../infer/manifest/output.ts'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import { annotationsOf } from './annotations.ts'
import { planarFinding, reportedFinding } from './finding.ts'
import { outputName } from './result-context.ts'
import { keySlices, pictureSlices } from './shown-slices.ts'
import { summaryBlocks } from './summary-blocks.ts'

/** What an output is encoded with besides what was found. */
interface Encoding {
  pipeline: Pipeline
  context: ResultContext
  /** Outputs that the task asks for: reports refer to those that are written. */
  isWanted: (output: Pipeline['outputs'][number]) => boolean
}

/** An output as its encoder takes it; null where there is nothing to write: no finding to draw, no image to point at. */
export function encoderOutput(inferred: InferredOutput, encoding: Encoding): Output | null {
  const { output: manifest } = inferred
  const output = outputName(inferred)
  const { segments, labelsOf: labels, measurements, parameters, probabilityOf } = inferred
  const segmented = { output, segments, labelsOf: labels ?? undefined }
  switch (manifest.kind) {
    case 'segmentation':
      if (segments.length === 0) return null
      if (manifest.format === 'labelmap')
        return { ...segmented, kind: 'segmentation', format: 'labelmap', compression: manifest.compression }
      if (manifest.format === 'fractional')
        return { ...segmented, kind: 'segmentation', format: 'fractional', probabilityOf }
      return { ...segmented, kind: 'segmentation', format: 'binary' }
    case 'measurement-report': {
      const segmentation = segmentationOf(inferred, manifest, encoding)
      return { ...segmented, kind: 'measurement-report', measurements, parameters, segmentation }
    }
    case 'planar-report':
      return { ...segmented, kind: 'planar-report', measurements, findings: inferred.findings.map(planarFinding) }
    case 'classification-report':
      return { kind: 'classification-report', output, findings: inferred.classification.map(reportedFinding) }
    case 'parametric-map':
      return parametricMap(inferred, manifest)
    case 'derived-images':
      return derivedImages(inferred, manifest)
    case 'colour-capture':
      return { kind: 'colour-capture', ...capture(inferred, manifest, manifest.notes), output }
    case 'presentation-state': {
      const annotations = annotationsOf(inferred, manifest)
      const { window, colour } = manifest
      if (annotations.length === 0) return null
      return { kind: 'presentation-state', output, annotations, window, ...(colour && { colour }) }
    }
    case 'summary-pdf': {
      const picture = manifest.picture ? capture(inferred, manifest.picture, []) : null
      const blocks = summaryBlocks(inferred, { ...encoding, capture: picture })
      return { kind: 'summary-pdf', output, blocks, ...(manifest.title && { title: manifest.title }) }
    }
    case 'key-images': {
      const images = keySlices(inferred, manifest.maximum)
      const { description, concept } = manifest
      if (images.length === 0) return null
      return { kind: 'key-images', output, images, description, ...(concept && { title: concept }) }
    }
    case 'structure-set':
      if (segments.length === 0) return null
      return {
        ...segmented,
        kind: 'structure-set',
        ...(manifest.tolerance !== undefined && { tolerance: manifest.tolerance }),
        ...(manifest.interpretedTypes && { interpretedTypes: manifest.interpretedTypes }),
      }
    case 'nifti':
      return nifti(inferred)
    case 'json':
      return {
        ...segmented,
        kind: 'json',
        measurements,
        parameters,
        findings: [...inferred.classification.map(reportedFinding), ...inferred.findings.map(planarFinding)],
      }
  }
}

/** The segmentation that measurements refer to: the one that arrived, the one that the manifest names, or the first that is written. */
function segmentationOf(
  { arrived }: InferredOutput,
  { segmentation }: OutputOf<'measurement-report'>,
  { pipeline, isWanted }: Encoding,
): MeasuredSegmentation | null {
  if (arrived) return arrived
  const written = pipeline.outputs.filter((output) => output.kind === 'segmentation')
  const found = written.find((output) => isWanted(output) && (segmentation === undefined || output.id === segmentation))
  if (!found) return null
  const ordinal = written.filter(({ format }) => format === found.format).indexOf(found)
  return { format: found.format, output: outputName({ output: found, ordinal }) }
}

function required<Value>(value: Value | null, what: string): Value {
  if (value === null) throw new Error(`an output without ${what}`)
  return value
}

const floats = (values: Float32Array | Int16Array | Uint8Array): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values)

function parametricMap(inferred: InferredOutput, manifest: OutputOf<'parametric-map'>): Output {
  const { quantity, unit, derivation, range, title } = manifest
  const valuesOf = required(inferred.valuesOf, 'values')
  return {
    kind: 'parametric-map',
    output: outputName(inferred),
    quantity,
    unit,
    derivation,
    ...(title && { description: title }),
    ...(range && { range }),
    ...(inferred.planes && { planes: inferred.planes }),
    valuesOf: (plane) => floats(valuesOf(plane)),
  }
}

function derivedImages(inferred: InferredOutput, manifest: OutputOf<'derived-images'>): Output {
  const { derivations, description, rescale } = manifest
  const valuesOf = required(inferred.valuesOf, 'values')
  return {
    kind: 'derived-images',
    output: outputName(inferred),
    derivations,
    description,
    ...(rescale && { rescale }),
    ...(inferred.planes && { planes: inferred.planes }),
    valuesOf: (plane) => {
      const values = valuesOf(plane)
      return values instanceof Uint8Array ? Int16Array.from(values) : values
    },
  }
}

function capture(inferred: InferredOutput, overlay: OverlayManifest, notes: readonly string[]): ColourCapture {
  const picture = required(inferred.picture, 'a picture')
  const { heatMap, opacity } = overlay
  const slices = pictureSlices(inferred, overlay)
  return {
    greyOf: picture.greyOf,
    window: picture.window,
    segments: inferred.segments,
    notes,
    ...(slices && { slices }),
    ...(opacity !== undefined && { opacity }),
    ...(heatMap &&
      picture.heatOf && {
        heatMap: {
          name: heatMap.name,
          unit: heatMap.unit,
          range: heatMap.range,
          colours: heatMap.colours,
          valuesOf: picture.heatOf,
        },
      }),
  }
}

function nifti(inferred: InferredOutput): Output {
  const valuesOf = required(inferred.valuesOf, 'values')
  return {
    kind: 'nifti',
    output: outputName(inferred),
    voxels: inferred.holdsLabels ? 'labels' : 'values',
    planes: inferred.planes ?? planesOf(inferred.source),
    sliceOf: valuesOf,
  }
}
