import { keywordOf } from '../dictionary.ts'
import { profileRow } from './profile-table.ts'

/** Options of the Basic Application Level Confidentiality Profile (PS3.15 E.3): each lets something stay. */
export type RetainOption =
  | 'full-dates'
  | 'modified-dates'
  | 'patient-characteristics'
  | 'device-identity'
  | 'institution-identity'
  | 'uids'
  | 'safe-private'
  | 'cleaned-descriptors'

/** CID 7050: value and meaning. */
export const methodCodes: Readonly<Record<RetainOption | 'basic', readonly [value: string, meaning: string]>> = {
  basic: ['113100', 'Basic Application Confidentiality Profile'],
  'cleaned-descriptors': ['113105', 'Clean Descriptors Option'],
  'full-dates': ['113106', 'Retain Longitudinal Temporal Information Full Dates Option'],
  'modified-dates': ['113107', 'Retain Longitudinal Temporal Information Modified Dates Option'],
  'patient-characteristics': ['113108', 'Retain Patient Characteristics Option'],
  'device-identity': ['113109', 'Retain Device Identity Option'],
  uids: ['113110', 'Retain UIDs Option'],
  'safe-private': ['113111', 'Retain Safe Private Option'],
  'institution-identity': ['113112', 'Retain Institution Identity Option'],
}

/**
 * What is done with an element. `keep`, `remove`, `empty`: as it says; `dummy`: another value of the VR; `uid`: another UID, always the same for
 * one UID; `date`: moved in time; `text`: without what identifies; `items`: a sequence whose items are treated one by one; `dummy-items`: the same, but
 * what stands in words, numbers and dates there is replaced whatever it is (`dummyInside`).
 */
export type Action = 'keep' | 'remove' | 'empty' | 'dummy' | 'uid' | 'date' | 'text' | 'items' | 'dummy-items'

/** Letters of the table (see there) that keep and that clean, by option. */
const letters: Partial<Record<RetainOption, readonly [keep: string, clean: string]>> = {
  uids: ['u', ''],
  'device-identity': ['v', 'V'],
  'institution-identity': ['i', ''],
  'patient-characteristics': ['p', 'P'],
  'full-dates': ['f', ''],
  'modified-dates': ['', 'm'],
  'cleaned-descriptors': ['', 'd'],
}

const textVRs: ReadonlySet<string> = new Set(['LO', 'LT', 'SH', 'ST', 'UC', 'UT'])
const dateVRs: ReadonlySet<string> = new Set(['DA', 'DT', 'TM'])

/** Sequences whose items refer to instances: the profile replaces their UIDs rather than losing them (X/Z/U*). */
function isReference(basic: string): boolean {
  return basic.endsWith('U') && basic !== 'U'
}

/**
 * The action for a standard element, by its row of PS3.15 table E.1-1 and the options. Where the row leaves a choice, the one that satisfies every
 * object is taken: a dummy rather than an empty value, an empty value rather than none; sequences are removed where the row allows it.
 * Elements outside of the table are no identifiers by the standard's judgement; what is none of its data elements, names and UIDs of
 * things (not of SOP classes and the like) are treated as identifiers all the same.
 * @param tag eight upper-case hex digits
 */
export function actionFor(tag: string, vr: string, options: ReadonlySet<RetainOption>): Action {
  // Curves and overlays hold writing and drawings; what describes them is of no use without.
  if (/^(50|60)[0-9A-F][02468ACE]/.test(tag)) return 'remove'
  const keyword = keywordOf(tag)
  // UN is what a sequence is read as that is broken inside: it may hold anything.
  if (keyword === undefined || vr === 'UN') return 'remove'
  const row = profileRow(tag)
  if (!row) return actionOutside(keyword, vr)
  for (const option of options) {
    const [keep = '', clean = ''] = letters[option] ?? []
    if (keep !== '' && row.options.includes(keep)) return vr === 'SQ' ? 'items' : 'keep'
    if (clean !== '' && row.options.includes(clean)) return cleaning(vr)
  }
  return basicAction(row.basic, vr)
}

const toldVRs: ReadonlySet<string> = new Set([
  ...textVRs,
  ...dateVRs,
  'AE',
  'AS',
  'DS',
  'OB',
  'OD',
  'OF',
  'OL',
  'OV',
  'OW',
  'UR',
])

/**
 * Whether a value inside of a sequence that has to be a dummy (the content of a report, annotations) is replaced even though the table has no row for it:
 * anything may be told there. Codes, references and coordinates stay.
 */
export function dummyInside(tag: string, vr: string): boolean {
  return toldVRs.has(vr) && !/^000801(0|1|2)/.test(tag)
}

function actionOutside(keyword: string, vr: string): Action {
  if (vr === 'SQ') return 'items'
  if (vr === 'PN') return 'dummy'
  if (vr === 'UI')
    return /ClassU|ClassesIn|ClassesSupported|TransferSyntax|^CodingScheme|^ContextUID|^MappingR|Creator/.test(keyword)
      ? 'keep'
      : 'uid'
  return 'keep'
}

function cleaning(vr: string): Action {
  if (vr === 'SQ') return 'items'
  if (dateVRs.has(vr)) return 'date'
  return textVRs.has(vr) ? 'text' : 'dummy'
}

function basicAction(basic: string, vr: string): Action {
  if (vr === 'SQ') {
    if (isReference(basic)) return 'items'
    if (basic === 'D') return 'dummy-items'
    return basic.startsWith('X') ? 'remove' : 'empty'
  }
  if (vr === 'UI') return basic === 'X' ? 'remove' : 'uid'
  if (basic.endsWith('D')) return 'dummy'
  return basic.endsWith('Z') ? 'empty' : 'remove'
}
