import { deriveUID } from '../dicom/uid.ts'
import type { EncodingInput } from './encoding-input.ts'

/** Roles of result objects, one object and one series each, in the order in which viewers list them. */
export const roles = ['segmentation', 'summary', 'measurements', 'planar'] as const
export type Role = (typeof roles)[number]

export interface ResultIdentity {
  sopInstanceUID: string
  seriesInstanceUID: string
  seriesNumber: number
}

/** Results stand behind everything that a scanner numbers. */
const firstSeriesNumber = 9001

/**
 * The UIDs of a result. They depend on study, revision, pipeline digest, source series and role alone, so that a retried job writes the
 * same object again and a re-sent object replaces itself.
 */
export function resultIdentity(input: EncodingInput, role: Role): ResultIdentity {
  const parts = [
    input.studyInstanceUID,
    String(input.revision),
    input.algorithm.digest,
    input.source.seriesInstanceUID,
    role,
  ]
  return {
    sopInstanceUID: deriveUID('result-instance', ...parts),
    seriesInstanceUID: deriveUID('result-series', ...parts),
    seriesNumber: firstSeriesNumber + roles.indexOf(role),
  }
}

/** The organisation of a segmentation's dimensions: one per object. */
export function dimensionOrganizationUID(input: EncodingInput): string {
  return deriveUID('dimension-organization', resultIdentity(input, 'segmentation').sopInstanceUID)
}

/**
 * Tracking identifier and UID of something that is measured. They are the same in every object and in every revision, whatever the
 * pipeline's version, because they name the thing and not the finding.
 * @param subject segment id, or `whole` for what is measured on the whole input
 * @param label words for people
 */
export function trackingIdentity(input: EncodingInput, subject: string, label: string): { id: string; uid: string } {
  return { id: label, uid: deriveUID('tracking', input.studyInstanceUID, input.algorithm.name, subject) }
}

/** The device that an algorithm is: another one whenever a file of the pipeline changes (IHE AIR, DeviceUID). */
export function deviceUID(digest: string): string {
  return deriveUID('device', digest)
}
