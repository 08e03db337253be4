import type { DicomJson } from '../dicom-json.ts'

/**
 * Private elements that are known to identify nobody (from PS3.15 table E.3.10-1, those that matter for images): private creator to elements of its
 * block.
 */
const safe: Readonly<Record<string, readonly string[]>> = {
  'Philips PET Private Group': ['705300', '705309'],
  'SIEMENS MR HEADER': ['00190C', '00190D', '00190E', '001927'],
  'SIEMENS MEDCOM HEADER': [],
  'Philips Imaging DD 001': ['200103', '200104'],
  'Philips MR Imaging DD 001': ['200505'],
  GEMS_ACQU_01: ['001923', '001924', '001927', '00199E'],
  GEMS_PARM_01: ['004327', '004339', '00436F'],
  GEMS_HELIOS_01: ['004501', '004502'],
  GEMS_SERS_01: ['002507'],
  ELSCINT1: ['00E121', '01E126', '01E150'],
}

/** Whether a private element of this data set (or item) is known to be safe, or is the creator of one that is (PS3.5 7.8). */
export function isSafePrivate(dataSet: DicomJson, tag: string): boolean {
  const group = tag.slice(0, 4)
  if (tag.slice(4, 6) === '00') {
    const block = tag.slice(6)
    return Object.keys(dataSet).some(
      (other) => other.startsWith(group + block) && other.length === 8 && isSafePrivate(dataSet, other),
    )
  }
  const creator = dataSet[`${group}00${tag.slice(4, 6)}`]?.Value?.[0]
  return typeof creator === 'string' && (safe[creator.trim()] ?? []).includes(group + tag.slice(6))
}
