/** Names that the cases are made of (PS3.6 annex A). Kept apart from the node's own tables, which are what is tested. */
export const application = '1.2.840.10008.3.1.1.1'
export const verification = '1.2.840.10008.1.1'

export const syntax = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
  jpegLS: '1.2.840.10008.1.2.4.80',
} as const

export type Syntax = (typeof syntax)[keyof typeof syntax]

/** Storage classes, a private one among them: private classes are storage in practice. */
export const storage = {
  ct: '1.2.840.10008.5.1.4.1.1.2',
  mr: '1.2.840.10008.5.1.4.1.1.4',
  us: '1.2.840.10008.5.1.4.1.1.6.1',
  sr: '1.2.840.10008.5.1.4.1.1.88.33',
  private: '1.3.12.2.1107.5.9.1',
} as const

export const service = {
  commitment: '1.2.840.10008.1.20.1',
  mpps: '1.2.840.10008.3.1.2.3.3',
  availability: '1.2.840.10008.5.1.4.33',
  worklist: '1.2.840.10008.5.1.4.31',
  patientFind: '1.2.840.10008.5.1.4.1.2.1.1',
  patientMove: '1.2.840.10008.5.1.4.1.2.1.2',
  patientGet: '1.2.840.10008.5.1.4.1.2.1.3',
  studyFind: '1.2.840.10008.5.1.4.1.2.2.1',
  studyMove: '1.2.840.10008.5.1.4.1.2.2.2',
  studyGet: '1.2.840.10008.5.1.4.1.2.2.3',
  basicFilm: '1.2.840.10008.5.1.1.1',
} as const

/** The one Storage Commitment instance there is (PS3.4 J.3.5). */
export const commitmentInstance = '1.2.840.10008.1.20.1.1'
