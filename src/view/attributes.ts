/** The Query/Retrieve level of a resource, from the top. */
export type Level = 'study' | 'series' | 'instance'

/** How a value is matched (PS3.4 C.2.2.2, PS3.18 8.3.4). */
export type Matching = 'uid' | 'text' | 'person-name' | 'date' | 'time' | 'integer' | 'modalities'

/** An attribute that the index holds in a column of its own, and that may therefore be a matching key. */
export interface IndexedAttribute {
  tag: string
  vr: string
  level: Level
  /** `table.column`. */
  column: string
  matching: Matching
}

/** Every matching key (PS3.18 tables 10.6.1-5; keys that the index has no column for are refused, not ignored). */
export const indexedAttributes: readonly IndexedAttribute[] = [
  { tag: '0020000D', vr: 'UI', level: 'study', column: 'studies.study_instance_uid', matching: 'uid' },
  { tag: '00100020', vr: 'LO', level: 'study', column: 'studies.patient_id', matching: 'text' },
  { tag: '00100010', vr: 'PN', level: 'study', column: 'studies.patient_name', matching: 'person-name' },
  { tag: '00100030', vr: 'DA', level: 'study', column: 'studies.patient_birth_date', matching: 'date' },
  { tag: '00100040', vr: 'CS', level: 'study', column: 'studies.patient_sex', matching: 'text' },
  { tag: '00080020', vr: 'DA', level: 'study', column: 'studies.study_date', matching: 'date' },
  { tag: '00080030', vr: 'TM', level: 'study', column: 'studies.study_time', matching: 'time' },
  { tag: '00080050', vr: 'SH', level: 'study', column: 'studies.accession_number', matching: 'text' },
  { tag: '00200010', vr: 'SH', level: 'study', column: 'studies.study_id', matching: 'text' },
  { tag: '00081030', vr: 'LO', level: 'study', column: 'studies.study_description', matching: 'text' },
  { tag: '00080090', vr: 'PN', level: 'study', column: 'studies.referring_physician_name', matching: 'person-name' },
  { tag: '00080061', vr: 'CS', level: 'study', column: 'series.modality', matching: 'modalities' },
  { tag: '0020000E', vr: 'UI', level: 'series', column: 'series.series_instance_uid', matching: 'uid' },
  { tag: '00080060', vr: 'CS', level: 'series', column: 'series.modality', matching: 'text' },
  { tag: '00200011', vr: 'IS', level: 'series', column: 'series.series_number', matching: 'integer' },
  { tag: '0008103E', vr: 'LO', level: 'series', column: 'series.series_description', matching: 'text' },
  { tag: '00180015', vr: 'CS', level: 'series', column: 'series.body_part_examined', matching: 'text' },
  { tag: '00080018', vr: 'UI', level: 'instance', column: 'instances.sop_instance_uid', matching: 'uid' },
  { tag: '00080016', vr: 'UI', level: 'instance', column: 'instances.sop_class_uid', matching: 'uid' },
  { tag: '00083002', vr: 'UI', level: 'instance', column: 'instances.transfer_syntax_uid', matching: 'uid' },
  { tag: '00200013', vr: 'IS', level: 'instance', column: 'instances.instance_number', matching: 'integer' },
  { tag: '00280010', vr: 'US', level: 'instance', column: 'instances.rows', matching: 'integer' },
  { tag: '00280011', vr: 'US', level: 'instance', column: 'instances.columns', matching: 'integer' },
  { tag: '00280100', vr: 'US', level: 'instance', column: 'instances.bits_allocated', matching: 'integer' },
  { tag: '00280008', vr: 'IS', level: 'instance', column: 'instances.number_of_frames', matching: 'integer' },
]

const byTag = new Map(indexedAttributes.map((attribute) => [attribute.tag, attribute]))

/** The indexed attribute of a tag (eight upper-case hex digits). */
export function indexedAttribute(tag: string): IndexedAttribute | undefined {
  return byTag.get(tag)
}

const depth: Readonly<Record<Level, number>> = { study: 0, series: 1, instance: 2 }

/** Whether an attribute of one level may be a key of a search at another: keys of higher levels may, of lower ones not. */
export function isAtOrAbove(attribute: Level, search: Level): boolean {
  return depth[attribute] <= depth[search]
}

/** What a study answer always holds besides counts and URLs (PS3.18 table 10.6.3-3), and the description that every list shows. */
export const studyAnswer = [
  ['00080020', 'DA'],
  ['00080030', 'TM'],
  ['00080050', 'SH'],
  ['00080090', 'PN'],
  ['00081030', 'LO'],
  ['00100010', 'PN'],
  ['00100020', 'LO'],
  ['00100030', 'DA'],
  ['00100040', 'CS'],
  ['0020000D', 'UI'],
  ['00200010', 'SH'],
] as const

/** What a series answer always holds besides counts and URLs (PS3.18 table 10.6.3-4), and the body part. */
export const seriesAnswer = [
  ['00080060', 'CS'],
  ['0008103E', 'LO'],
  ['00180015', 'CS'],
  ['0020000E', 'UI'],
  ['00200011', 'IS'],
] as const

/** Attributes of the series that a series answer holds where the header has them (PS3.18 table 10.6.3-4, includefield). */
export const seriesHeaderAnswer = ['00400244', '00400245', '00400275'] as const
