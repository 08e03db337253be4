import { codeItem } from '../dicom/codes.ts'
import { concept, isLaterality } from './concepts.ts'
import type {
  Comparison,
  EncodingInput,
  InstanceReference,
  MeasuredValue,
  Measurement,
  ResultContext,
  SegmentDefinition,
  SegmentMasks,
} from './encoding-input.ts'
import { imageReference } from './references.ts'
import { type ContentItem, code, date, image, num, related, text, uidref } from './sr-content.ts'

/** Tracking identifier and UID. The UID must be the first UIDREF of its group: viewers take the first that they find. */
export function trackingItems({ id, uid }: { id: string; uid: string }): ContentItem[] {
  return [
    text('HAS OBS CONTEXT', concept.trackingIdentifier, id),
    uidref('HAS OBS CONTEXT', concept.trackingUniqueIdentifier, uid),
  ]
}

/** Finding: what the segment is. */
export function finding(definition: SegmentDefinition): ContentItem {
  return code('CONTAINS', concept.finding, definition.type)
}

/** Finding site: where it is, with laterality (TID 1419). */
export function findingSite(definition: SegmentDefinition): ContentItem {
  return code(
    'HAS CONCEPT MOD',
    concept.findingSite,
    definition.type,
    definition.modifiers.map((modifier) =>
      code('HAS CONCEPT MOD', isLaterality(modifier) ? concept.laterality : concept.topographicalModifier, modifier),
    ),
  )
}

/**
 * Algorithm Identification (TID 4019).
 * @param parameters settings that the values depend on, one line each
 */
export function algorithmItems({ algorithm }: ResultContext, parameters: readonly string[] = []): ContentItem[] {
  return [
    text('HAS CONCEPT MOD', concept.algorithmName, algorithm.name),
    text('HAS CONCEPT MOD', concept.algorithmVersion, algorithm.version),
    ...parameters.map((parameter) => text('HAS CONCEPT MOD', concept.algorithmParameters, parameter)),
  ]
}

/** One NUM of a group, with its derivation where it is one, and what it is a change from (TID 1419, TID 300). */
export function measurementItem({ code: name, value, unit, derivation, comparison }: MeasuredValue): ContentItem {
  return num(name, value, unit, [
    ...(derivation ? [code('HAS CONCEPT MOD', concept.derivation, derivation)] : []),
    ...(comparison ? comparisonItems(comparison) : []),
  ])
}

/**
 * The earlier value, with the examination that it is of, and the images that it was measured on (PS3.16 TID 1419 leaves room for further
 * items; those of TID 320 name images).
 */
function comparisonItems({ code: name, value, unit, prior }: Comparison): ContentItem[] {
  const examination = [
    ...(prior.studyDate === null ? [] : [date('HAS OBS CONTEXT', concept.studyDate, prior.studyDate)]),
    uidref('HAS OBS CONTEXT', concept.studyInstanceUID, prior.studyInstanceUID),
    uidref('HAS OBS CONTEXT', concept.seriesInstanceUID, prior.seriesInstanceUID),
  ]
  return [
    related('INFERRED FROM', num(name, value, unit, examination)),
    ...prior.images.map((slice) => image('INFERRED FROM', concept.sourceOfMeasurement, imageReference(slice))),
  ]
}

/** The images of earlier examinations that some measurements name: they belong into the evidence. */
export function comparedImages(measurements: readonly MeasuredValue[]): InstanceReference[] {
  return measurements.flatMap(({ comparison }) => {
    if (!comparison) return []
    const { studyInstanceUID, seriesInstanceUID, images } = comparison.prior
    return images.map(({ sopClassUID, sopInstanceUID }) => ({
      studyInstanceUID,
      seriesInstanceUID,
      sopClassUID,
      sopInstanceUID,
    }))
  })
}

/** The measurements of a segment, in the pipeline's order. */
export function measurementsOf(input: EncodingInput, segment: SegmentMasks): Measurement[] {
  return input.measurements.filter((m) => m.segment === segment.id)
}

/** Code items of what the whole input shows: each type once. */
export function distinctTypes(input: EncodingInput): SegmentDefinition[] {
  const found = new Map<string, SegmentDefinition>()
  for (const { definition } of input.segments) {
    const key = JSON.stringify([codeItem(definition.type), definition.modifiers.map(codeItem)])
    if (!found.has(key)) found.set(key, definition)
  }
  return [...found.values()]
}
