import { codeItem } from '../dicom/codes.ts'
import { concept, isLaterality } from './concepts.ts'
import type { EncodingInput, Measurement, SegmentDefinition, SegmentMasks } from './encoding-input.ts'
import { trackingIdentity } from './identity.ts'
import { type ContentItem, code, num, text, uidref } from './sr-content.ts'

/** Tracking identifier and UID. The UID must be the first UIDREF of its group: viewers take the first that they find. */
export function tracking(input: EncodingInput, subject: string, label: string): ContentItem[] {
  const { id, uid } = trackingIdentity(input, subject, label)
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

/** Algorithm Identification (TID 4019). */
export function algorithmItems({ algorithm }: EncodingInput): ContentItem[] {
  return [
    text('HAS CONCEPT MOD', concept.algorithmName, algorithm.name),
    text('HAS CONCEPT MOD', concept.algorithmVersion, algorithm.version),
  ]
}

/** One NUM of a group, with its derivation where it is one (TID 1419, TID 300). */
export function measurementItem(measurement: Measurement): ContentItem {
  const modifiers = measurement.derivation ? [code('HAS CONCEPT MOD', concept.derivation, measurement.derivation)] : []
  return num(measurement.code, measurement.value, measurement.unit, modifiers)
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
