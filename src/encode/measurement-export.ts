import { z } from 'zod'
import type { ExportedFile } from './encoded.ts'
import type { EncodingInput, MeasuredValue, OutputName } from './encoding-input.ts'
import type { Finding, PlanarFinding } from './finding.ts'
import { roleText, segmentTracking, trackingIdentity } from './identity.ts'
import { graphicOf } from './region.ts'

const code = z.object({ value: z.string(), scheme: z.string(), meaning: z.string() })
const unit = code.describe('UCUM')
const tracking = { trackingUID: z.string().describe('The same in every revision and every object of the study') }
/** JSON has no number that is none: what could not be measured is null. */
const measured = z.number().nullable().describe('null where it could not be measured')
const comparison = z
  .object({
    code,
    unit,
    value: measured,
    studyInstanceUID: z.string(),
    seriesInstanceUID: z.string(),
    studyDate: z.string().nullable().describe('YYYYMMDD'),
  })
  .nullable()
  .describe('The earlier value that the value is a change from; null where it is no change')

/** Schema of the exported measurements. A change that a reader could stumble over makes another `schema`. */
export const measurementExportSchema = z
  .object({
    schema: z.literal('hilum-measurements/1'),
    at: z.string().describe('When it was computed, ISO 8601 UTC'),
    verified: z.literal(false).describe('Nobody has looked at it'),
    algorithm: z.object({
      name: z.string(),
      version: z.string(),
      digest: z.string(),
      title: z.string(),
      manufacturer: z.string(),
      demonstrator: z.boolean().describe('true: not for clinical use'),
      parameters: z.array(z.string()).describe('Settings that the values depend on'),
    }),
    study: z.object({
      studyInstanceUID: z.string(),
      seriesInstanceUID: z.string().describe('The series that was analysed'),
      revision: z.number().int(),
    }),
    segments: z.array(
      z.object({
        id: z.string(),
        number: z.number().int(),
        label: z.string(),
        type: code,
        modifiers: z.array(code),
        ...tracking,
      }),
    ),
    measurements: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        code,
        unit,
        value: measured,
        segment: z.string().nullable().describe('Id of the measured segment; null: the whole input'),
        derivation: code.nullable(),
        comparison,
      }),
    ),
    findings: z.array(
      z.object({
        id: z.string(),
        label: z.string(),
        type: code,
        site: code.nullable(),
        probability: z.number().min(0).max(1).nullable(),
        image: z
          .object({ sopInstanceUID: z.string(), frame: z.number().int().nullable() })
          .nullable()
          .describe('null: the whole input'),
        regions: z
          .array(z.object({ type: z.enum(['POINT', 'MULTIPOINT', 'POLYLINE']), data: z.array(z.number()) }))
          .describe('Column, row pairs in pixels from the top left corner of the image'),
        measurements: z.array(z.object({ code, unit, value: measured, derivation: code.nullable(), comparison })),
        evaluations: z.array(z.object({ name: code, value: code })),
        ...tracking,
      }),
    ),
  })
  .describe('Measurements and findings of one run of a pipeline. Patient attributes are not in it.')

export type MeasurementExport = z.infer<typeof measurementExportSchema>

export interface MeasurementFile {
  output?: OutputName | undefined
  /** File name without extension; the result's role when left out. */
  name?: string | undefined
  findings?: readonly (Finding | PlanarFinding)[] | undefined
  /** Settings that the values depend on, one line each, without patient data. */
  parameters?: readonly string[] | undefined
}

/** Measurements and findings as JSON (`measurementExportSchema`), without patient attributes: UIDs tie it to the study. */
export function encodeMeasurementExport(input: EncodingInput, file: MeasurementFile = {}): ExportedFile {
  const json = JSON.stringify(measurementExport(input, file), null, 2)
  const role = roleText({ role: 'json', output: file.output })
  return {
    kind: 'file',
    role,
    name: `${file.name ?? role}.json`,
    mediaType: 'application/json',
    chunks: [Buffer.from(`${json}\n`)],
  }
}

function measurementExport(input: EncodingInput, file: MeasurementFile): MeasurementExport {
  const { algorithm, source } = input
  const { name, version, digest, title, manufacturer, demonstrator = false } = algorithm
  return {
    schema: 'hilum-measurements/1',
    at: input.at,
    verified: false,
    algorithm: { name, version, digest, title, manufacturer, demonstrator, parameters: [...(file.parameters ?? [])] },
    study: {
      studyInstanceUID: input.studyInstanceUID,
      seriesInstanceUID: source.seriesInstanceUID,
      revision: input.revision,
    },
    segments: input.segments.map((segment) => ({
      id: segment.id,
      number: segment.number,
      label: segment.definition.label,
      type: segment.definition.type,
      modifiers: [...segment.definition.modifiers],
      trackingUID: segmentTracking(input, segment).uid,
    })),
    measurements: input.measurements.map((measurement) => ({
      id: measurement.id,
      name: measurement.name,
      segment: measurement.segment,
      ...valueOf(measurement),
    })),
    findings: (file.findings ?? []).map((finding) => findingOf(input, finding)),
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

function valueOf({ code: concept, unit: ucum, value, derivation, comparison: earlier }: MeasuredValue) {
  return {
    code: concept,
    unit: ucum,
    value: finite(value),
    derivation: derivation ?? null,
    comparison: earlier
      ? {
          code: earlier.code,
          unit: earlier.unit,
          value: finite(earlier.value),
          studyInstanceUID: earlier.prior.studyInstanceUID,
          seriesInstanceUID: earlier.prior.seriesInstanceUID,
          studyDate: earlier.prior.studyDate,
        }
      : null,
  }
}

function findingOf(input: EncodingInput, finding: Finding | PlanarFinding): MeasurementExport['findings'][number] {
  const slice = 'slice' in finding ? input.source.slices[finding.slice] : undefined
  return {
    id: finding.id,
    label: finding.label,
    type: finding.type,
    site: finding.site ?? null,
    probability: finding.probability ?? null,
    image: slice ? { sopInstanceUID: slice.sopInstanceUID, frame: slice.frame } : null,
    regions: 'regions' in finding ? finding.regions.map(graphicOf) : [],
    measurements: (finding.measurements ?? []).map(valueOf),
    evaluations: [...(finding.evaluations ?? [])],
    trackingUID: trackingIdentity(input, finding.id, finding.label).uid,
  }
}
