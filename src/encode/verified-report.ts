import { type Code, codeItem } from '../dicom/codes.ts'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { encodeFileMeta } from '../dicom/part10.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { deriveUID } from '../dicom/uid.ts'
import { dicomMoment } from './date-time.ts'
import type { EncodedObject } from './encoded.ts'
import { EncodeError } from './error.ts'
import { naturalItem, timezoneOf } from './patient-study.ts'
import { hierarchicalReferences } from './references.ts'

/** Who verifies a document (PS3.3 C.17.2, Verifying Observer Sequence). */
export interface VerifyingObserver {
  /** As a PN: family name, given name, … with `^` between them. */
  name: string
  /** LO, up to 64 characters. */
  organisation: string
  /** Null: not identified by a code (type 2). */
  identification: Code | null
}

export interface Verification {
  /** The unverified document, as it is stored. */
  document: DicomJson
  /** Role of its result. */
  role: string
  /** SHA-256 of its file: a document of other content is another one when it is verified. */
  sha256: string
  observer: VerifyingObserver
  /** ISO 8601 UTC. */
  at: string
}

/** Verified documents stand behind their unverified ones, whose series numbers leave room. */
const seriesNumberStep = 50

/**
 * A structured report anew, as a person has verified it (PS3.3 C.17.2): the same content, VERIFIED and FINAL, with who verified it and
 * when; the unverified document is its predecessor. Its UIDs depend on the document, its content and the observer alone, so that
 * verifying it again makes no other.
 * @throws {EncodeError} `wrong-source` where it is no complete document
 */
export function encodeVerifiedReport({ document, role, sha256, observer, at }: Verification): EncodedObject {
  const original = identityOf(document)
  const { sopInstanceUID, seriesInstanceUID } = verifiedIdentity({ original, sha256, observer: observer.name })
  const moment = dicomMoment(at, timezoneOf(document))
  const description = textOf(document, 'SeriesDescription') ?? 'Report'
  const attributes = {
    ...naturalItem(document),
    SpecificCharacterSet: 'ISO_IR 192',
    SOPInstanceUID: sopInstanceUID,
    SeriesInstanceUID: seriesInstanceUID,
    SeriesNumber: (numberOf(document, 'SeriesNumber') ?? 0) + seriesNumberStep,
    SeriesDescription: `${description.slice(0, 54)}, verified`,
    InstanceNumber: 1,
    SeriesDate: moment.date,
    SeriesTime: moment.time,
    InstanceCreationDate: moment.date,
    InstanceCreationTime: moment.time,
    ContentDate: moment.date,
    ContentTime: moment.time,
    VerificationFlag: 'VERIFIED',
    PreliminaryFlag: 'FINAL',
    VerifyingObserverSequence: [
      {
        VerifyingOrganization: observer.organisation,
        VerificationDateTime: moment.dateTime,
        VerifyingObserverName: observer.name,
        VerifyingObserverIdentificationCodeSequence: observer.identification ? [codeItem(observer.identification)] : [],
      },
    ],
    PredecessorDocumentsSequence: hierarchicalReferences(original.studyInstanceUID, [original]),
  }
  const transferSyntaxUID = TS.explicitVRLittleEndian
  const { sopClassUID } = original
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: sopClassUID,
    mediaStorageSOPInstanceUID: sopInstanceUID,
    transferSyntaxUID,
  })
  return {
    kind: 'object',
    role: verifiedRole(role),
    sopClassUID,
    sopInstanceUID,
    seriesInstanceUID,
    modality: 'SR',
    chunks: [meta, encodeDataSet(attributes, transferSyntaxUID)],
  }
}

/** The role of a verified document's result. */
export function verifiedRole(role: string): string {
  return `verified-${role}`
}

/** The UIDs of the document that a verification makes. @param observer the name */
export function verifiedIdentity(of: {
  original: { sopInstanceUID: string; seriesInstanceUID: string }
  sha256: string
  observer: string
}): { sopInstanceUID: string; seriesInstanceUID: string } {
  const parts = [of.sha256, of.observer]
  return {
    sopInstanceUID: deriveUID('verified-instance', of.original.sopInstanceUID, ...parts),
    seriesInstanceUID: deriveUID('verified-series', of.original.seriesInstanceUID, ...parts),
  }
}

function identityOf(document: DicomJson) {
  const [studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID] = [
    'StudyInstanceUID',
    'SeriesInstanceUID',
    'SOPClassUID',
    'SOPInstanceUID',
  ].map((keyword) => textOf(document, keyword))
  if (!studyInstanceUID || !seriesInstanceUID || !sopClassUID || !sopInstanceUID)
    throw new EncodeError('wrong-source', 'the document that is verified lacks its UIDs')
  // VERIFIED is for complete documents only (PS3.3 C.17.2).
  if (textOf(document, 'CompletionFlag') !== 'COMPLETE')
    throw new EncodeError('wrong-source', 'the document that is verified is not complete')
  return { studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID }
}
