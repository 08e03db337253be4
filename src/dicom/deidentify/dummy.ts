import type { DicomJsonElement } from '../dicom-json.ts'

/** A value of each VR that says nothing. */
const dummies: Readonly<Record<string, unknown>> = {
  AE: 'ANONYMOUS',
  AS: '000Y',
  CS: 'ANONYMIZED',
  DA: '19000101',
  DS: 0,
  DT: '19000101000000',
  IS: 0,
  LO: 'ANONYMIZED',
  LT: 'ANONYMIZED',
  PN: { Alphabetic: 'ANONYMIZED' },
  SH: 'ANONYMIZED',
  ST: 'ANONYMIZED',
  TM: '000000',
  UC: 'ANONYMIZED',
  UR: 'urn:anonymized',
  UT: 'ANONYMIZED',
  AT: '00000000',
  FD: 0,
  FL: 0,
  SL: 0,
  SS: 0,
  SV: 0,
  UL: 0,
  US: 0,
  UV: 0,
}

/** An element with a value that stands for nothing (PS3.15 E.1.1, action D); bytes become eight zeros. */
export function dummyElement(vr: string): DicomJsonElement {
  const value = dummies[vr]
  return value === undefined ? { vr, InlineBinary: 'AAAAAAAAAAA=' } : { vr, Value: [value] }
}

/** A date, or the date in a date and time, moved by whole days; text that is none becomes the dummy. */
export function movedDate(vr: string, text: string, days: number): string {
  const [, year, month, day, rest = ''] = /^(\d{4})(\d{2})(\d{2})(.*)$/.exec(text) ?? []
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day))
  if (year === undefined || Number.isNaN(start)) return String(dummies[vr])
  const moved = new Date(start + days * 86_400_000)
  const digits = (number: number, length: number): string => String(number).padStart(length, '0')
  return `${digits(moved.getUTCFullYear(), 4)}${digits(moved.getUTCMonth() + 1, 2)}${digits(moved.getUTCDate(), 2)}${rest}`
}
