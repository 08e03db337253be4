import type { DicomJson } from '../dicom/dicom-json.ts'
import type { Part10Digest } from '../dicomweb/client-digest.ts'
import type { StoreOutcome } from '../dicomweb/client-store-answer.ts'

/** Where results go, and where they can be looked for afterwards. STOW-RS with QIDO-RS and WADO-RS is one; C-STORE will be another. */
export interface Destination {
  readonly url: string
  /** Says for each object what became of it; never rejects for what the server or the network does. */
  store(objects: readonly { path: string; sopInstanceUID: string }[]): Promise<StoreOutcome[]>
  /** The instance's attributes where the destination lists it, else null. */
  searchInstance(studyInstanceUID: string, seriesInstanceUID: string, sopInstanceUID: string): Promise<DicomJson | null>
  /** One page of the SOP Instance UIDs that the destination lists for a study; none behind the last page. */
  listInstances(studyInstanceUID: string, page: { limit: number; offset: number }): Promise<string[]>
  /** How many instances the destination says that a study has; null where it does not list the study, or does not say. */
  countInstances(studyInstanceUID: string, signal?: AbortSignal): Promise<number | null>
  /** A digest of what the destination gives back, or null where it has no such instance. */
  retrieveInstance(
    studyInstanceUID: string,
    seriesInstanceUID: string,
    sopInstanceUID: string,
  ): Promise<Part10Digest | null>
  /** Shows that address, credentials and search work; how many studies were listed. */
  echo(): Promise<number>
  close(): Promise<void>
}

/** A result object on disk, as delivered. */
export interface Deliverable {
  sopInstanceUID: string
  seriesInstanceUID: string
  studyInstanceUID: string
  /** Absolute path of the Part 10 file. */
  path: string
}
