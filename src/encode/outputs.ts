import { textOf } from '../dicom/dataset.ts'
import { type ClassificationReport, encodeClassificationReport } from './classification-report.ts'
import { type ColourCapture, encodeColourCapture } from './colour-capture.ts'
import { type DerivedSeries, encodeDerivedImages } from './derived-images.ts'
import { encodeEncapsulatedPDF } from './encapsulated-pdf.ts'
import type { EncodedObject, ExportedFile } from './encoded.ts'
import type { EncodingInput, Measurement, OutputName, ResultContext, SegmentMasks } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { encodeFindingsReport, type FindingsReport } from './findings-report.ts'
import { encodeKeyImages, type KeyImages } from './key-images.ts'
import { encodeLabelMap, type LabelMapOptions } from './label-map.ts'
import { encodeMeasurementExport, type MeasurementFile } from './measurement-export.ts'
import { encodeMeasurementReport, encodeSummaryReport, type MeasurementReport } from './measurement-report.ts'
import { encodeNIfTI, type NIfTIVolume } from './nifti.ts'
import { encodeParametricMap, type ParametricMap } from './parametric-map.ts'
import { encodePlanarReport } from './planar-report.ts'
import { encodePresentationState, type PresentationState } from './presentation-state.ts'
import { encodeProbabilitySegmentation, type ProbabilityOptions } from './probability-segmentation.ts'
import { encodeSegmentation } from './segmentation.ts'
import { encodeStructureSet, type StructureSetOptions } from './structure-set.ts'
import { type Summary, summaryPDF } from './summary-pdf.ts'

/** The segments of an output. */
interface Segmented {
  output?: OutputName | undefined
  segments: readonly SegmentMasks[]
  /** See `EncodingInput`. */
  labelsOf?: EncodingInput['labelsOf']
}

/** The segments of an output, and what was measured on them and on the whole. */
interface Measured extends Segmented {
  measurements: readonly Measurement[]
}

/** One output of a pipeline with what it is made of: `kind` and `format` are those of the manifest. */
export type Output =
  | (Segmented & { kind: 'segmentation'; format: 'binary' })
  | (Segmented & LabelMapOptions & { kind: 'segmentation'; format: 'labelmap' })
  | (Segmented & ProbabilityOptions & { kind: 'segmentation'; format: 'fractional' })
  /** A report on the segments, and another on the whole input where there are measurements of either. */
  | (Measured & MeasurementReport & { kind: 'measurement-report' })
  /** Findings with their regions; key contours of measured segments; or both, in two reports. */
  | (Partial<Measured> & Partial<FindingsReport> & { kind: 'planar-report' })
  | (ClassificationReport & { kind: 'classification-report' })
  | (PresentationState & { kind: 'presentation-state' })
  | (ColourCapture & { kind: 'colour-capture' })
  | (ParametricMap & { kind: 'parametric-map' })
  | (DerivedSeries & { kind: 'derived-images' })
  | (Summary & { kind: 'summary-pdf'; output?: OutputName | undefined })
  | (KeyImages & { kind: 'key-images' })
  | (Segmented & StructureSetOptions & { kind: 'structure-set' })
  | (NIfTIVolume & { kind: 'nifti' })
  | (Measured & MeasurementFile & { kind: 'json' })

/**
 * The objects or files of one output, made one after the other: each must be written before the next is asked for, and its chunks are
 * made while they are read. An output for which there is nothing to say, as a report without findings, gives none.
 * @throws {EncodeError} `wrong-source` when the header that patient and study are copied from is not of the job's study and series; and
 * what the encoder of the output throws
 */
export function* encodeOutput(context: ResultContext, output: Output): Generator<EncodedObject | ExportedFile> {
  checkSource(context)
  switch (output.kind) {
    case 'segmentation':
      yield segmentation(context, output)
      break
    case 'measurement-report': {
      const input = withSegments(context, output)
      yield* present(encodeMeasurementReport(input, output), encodeSummaryReport(input, output))
      break
    }
    case 'planar-report':
      yield* present(
        encodePlanarReport(withSegments(context, output), output.output),
        encodeFindingsReport(context, { output: output.output, findings: output.findings ?? [] }),
      )
      break
    case 'classification-report':
      yield* present(encodeClassificationReport(context, output))
      break
    case 'presentation-state':
      yield encodePresentationState(context, output)
      break
    case 'colour-capture':
      yield encodeColourCapture(context, output)
      break
    case 'parametric-map':
      yield encodeParametricMap(context, output)
      break
    case 'derived-images':
      yield* encodeDerivedImages(context, output)
      break
    case 'summary-pdf': {
      const title = output.title ?? context.algorithm.title
      yield encodeEncapsulatedPDF(context, { output: output.output, title, pdf: summaryPDF(context, output) })
      break
    }
    case 'key-images':
      yield encodeKeyImages(context, output)
      break
    case 'structure-set':
      yield encodeStructureSet(withSegments(context, output), output)
      break
    case 'nifti':
      yield encodeNIfTI(context, output)
      break
    case 'json':
      yield encodeMeasurementExport(withSegments(context, output), output)
      break
  }
}

function segmentation(context: ResultContext, output: Extract<Output, { kind: 'segmentation' }>): EncodedObject {
  const input = withSegments(context, output)
  switch (output.format) {
    case 'binary':
      return encodeSegmentation(input, output.output)
    case 'labelmap':
      return encodeLabelMap(input, output)
    case 'fractional':
      return encodeProbabilitySegmentation(input, output)
  }
}

function withSegments(
  context: ResultContext,
  { segments = [], measurements = [], labelsOf }: Partial<Measured>,
): EncodingInput {
  return { ...context, segments, measurements, labelsOf }
}

function* present(...reports: (EncodedObject | null)[]): Generator<EncodedObject> {
  for (const report of reports) if (report) yield report
}

/**
 * A result that names another series than it was made from would be shown on the wrong images, and no validator would notice.
 * @throws {EncodeError} `wrong-source`
 */
function checkSource({ studyInstanceUID, source }: ResultContext): void {
  const expected = { StudyInstanceUID: studyInstanceUID, SeriesInstanceUID: source.seriesInstanceUID }
  for (const [keyword, uid] of Object.entries(expected)) {
    const found = textOf(source.header, keyword)
    if (found !== null && found !== uid)
      throw new EncodeError('wrong-source', `${keyword} of the source is ${found}, ${uid} is expected`)
  }
}
