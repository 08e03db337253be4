/** One element of the DICOM JSON Model (PS3.18 F.2). */
export interface DicomJsonElement {
  vr: string
  /** Strings, numbers, `{Alphabetic, Ideographic, Phonetic}` for PN, nested data sets for SQ; `null` for an empty value. */
  Value?: unknown[]
  BulkDataURI?: string
  InlineBinary?: string
}

/** A data set in the DICOM JSON Model (PS3.18 F.2): eight upper-case hex digits to element, in tag order. */
export type DicomJson = Record<string, DicomJsonElement>
