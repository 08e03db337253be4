import { deriveUID } from '../dicom/uid.ts'
import type { OutputName, ResultContext, SegmentMasks } from './encoding-input.ts'

/** Roles of result objects, one series each, in the order in which viewers list them. New ones go to the end. */
export const roles = [
  'segmentation',
  'summary',
  'measurements',
  'planar',
  'label-map',
  'probability',
  'parametric-map',
  'derived',
  'capture',
  'presentation',
  'document',
  'key-images',
  'structure-set',
  'classification',
  'findings',
] as const
export type Role = (typeof roles)[number]
/** Roles of files for export, which are in no series. */
export type FileRole = 'nifti' | 'json'

export interface ResultIdentity {
  sopInstanceUID: string
  seriesInstanceUID: string
  seriesNumber: number
}

/** Results stand behind everything that a scanner numbers. */
const firstSeriesNumber = 9001
/** Series numbers of one role's outputs. */
const ordinalStep = 100

/** Which result of a job is meant. */
export interface ResultName {
  role: Role
  /** Left out where a pipeline has one output of the role. */
  output?: OutputName | undefined
  /** Number of the instance, from 1, in a series of several. */
  instance?: number | undefined
}

/**
 * The UIDs of a result. They depend on study, revision, pipeline digest, source series, role, output and instance alone, so that a retried
 * job writes the same object again and a re-sent object replaces itself.
 */
export function resultIdentity(context: ResultContext, name: Role | ResultName): ResultIdentity {
  const { role, output, instance } = typeof name === 'string' ? ({ role: name } as ResultName) : name
  const parts = [
    context.studyInstanceUID,
    String(context.revision),
    context.algorithm.digest,
    context.source.seriesInstanceUID,
    role,
    ...(output ? [output.id] : []),
  ]
  const ofInstance = instance === undefined ? [] : [String(instance)]
  return {
    sopInstanceUID: deriveUID('result-instance', ...parts, ...ofInstance),
    seriesInstanceUID: deriveUID('result-series', ...parts),
    seriesNumber: firstSeriesNumber + roles.indexOf(role) + (output?.ordinal ?? 0) * ordinalStep,
  }
}

/** The role of a result as text, with output and instance: what predecessors are found by and files are named after. */
export function roleText({ role, output, instance }: Omit<ResultName, 'role'> & { role: Role | FileRole }): string {
  const number = instance === undefined ? [] : [String(instance).padStart(4, '0')]
  return [role, ...(output ? [output.id] : []), ...number].join('-')
}

/** The organisation of a multi-frame object's dimensions: one per object. */
export function dimensionOrganizationUID(context: ResultContext, name: Role | ResultName): string {
  return deriveUID('dimension-organization', resultIdentity(context, name).sopInstanceUID)
}

/**
 * Tracking identifier and UID of something that is measured. They are the same in every object and in every revision, whatever the
 * pipeline's version, because they name the thing and not the finding.
 * @param subject segment id, or `whole` for what is measured on the whole input
 * @param label words for people
 */
export function trackingIdentity(
  { studyInstanceUID, algorithm }: ResultContext,
  subject: string,
  label: string,
): { id: string; uid: string } {
  return { id: label, uid: deriveUID('tracking', studyInstanceUID, algorithm.name, subject) }
}

/** As `trackingIdentity`, of a segment. */
export function segmentTracking(
  context: ResultContext,
  { id, definition, tracking }: SegmentMasks,
): { id: string; uid: string } {
  return tracking ?? trackingIdentity(context, id, definition.label)
}

/** The device that an algorithm is: another one whenever a file of the pipeline changes (IHE AIR, DeviceUID). */
export function deviceUID(digest: string): string {
  return deriveUID('device', digest)
}
