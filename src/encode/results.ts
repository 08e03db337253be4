import type { EncodedObject } from './encoded.ts'
import type { EncodingInput } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { encodeMeasurementReport, encodeSummaryReport } from './measurement-report.ts'
import { checkSource } from './outputs.ts'
import { encodePlanarReport } from './planar-report.ts'
import { encodeSegmentation } from './segmentation.ts'

/**
 * All result objects of one job, made one after the other: each must be written before the next is asked for.
 * @throws {EncodeError} `nothing-to-encode` when there is neither a segment nor a measurement; `wrong-source` when the header that patient
 * and study are copied from is not of the job's study and series
 */
export function* encodeResults(input: EncodingInput): Generator<EncodedObject> {
  if (input.segments.length === 0 && input.measurements.length === 0)
    throw new EncodeError('nothing-to-encode', 'the pipeline gave neither a segment nor a measurement')
  checkSource(input)
  if (input.segments.length > 0) yield encodeSegmentation(input)
  for (const encode of [encodeMeasurementReport, encodePlanarReport, encodeSummaryReport]) {
    const report = encode(input)
    if (report) yield report
  }
}
