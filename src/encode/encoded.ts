/** A result object, ready to be written. Nothing in it is larger than the header: frames are made one at a time. */
export interface EncodedObject {
  role: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
  modality: string
  /** Bytes of the whole Part 10 file, in order: preamble, meta, data set, frames. Can be iterated once. */
  chunks: Iterable<Uint8Array>
}
