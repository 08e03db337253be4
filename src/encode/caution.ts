import type { Algorithm } from './encoding-input.ts'

/** What every result says of itself, in words: on pictures, on pages, in reports. */
export const unverified = 'AI result, not verified'
/** What results of a demonstrator say besides. */
export const notForClinicalUse = 'demonstrator, not for clinical use'

/** The warnings that a result carries, each short enough for a line of a picture. */
export function cautions({ demonstrator }: Algorithm): string[] {
  return demonstrator ? [unverified, notForClinicalUse] : [unverified]
}

/** The same in one line. */
export function caution(algorithm: Algorithm): string {
  return cautions(algorithm).join('; ')
}

/** Name and version for Content Description and other attributes of 64 characters, behind the warning of a demonstrator. */
export function nameAndVersion({ name, version, demonstrator }: Algorithm): string {
  return `${demonstrator ? `${notForClinicalUse}: ` : ''}${name} ${version}`.slice(0, 64)
}
