/** A result object, ready to be written. Nothing in it is larger than the header: frames are made one at a time. */
export interface EncodedObject {
  kind: 'object'
  /** Role of the result in the job, with the output's id and the instance's number: files are named after it. */
  role: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
  modality: string
  /** Bytes of the whole Part 10 file, in order: preamble, meta, data set, frames. Can be iterated once. */
  chunks: Iterable<Uint8Array>
}

/** A result that is no DICOM object: for export only. */
export interface ExportedFile {
  kind: 'file'
  role: string
  name: string
  mediaType: string
  /** Bytes in order. Can be iterated once. */
  chunks: Iterable<Uint8Array>
}
