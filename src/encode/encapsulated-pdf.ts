import type { Code } from '../dicom/codes.ts'
import { codeItem } from '../dicom/codes.ts'
import { SOP } from '../dicom/sop-class.ts'
import { notForClinicalUse } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { instancesOf } from './references.ts'
import { encodeObject, momentOf } from './result-object.ts'

/** LOINC: any report of diagnostic imaging. */
const diagnosticImagingReport: Code = { value: '18748-4', scheme: 'LN', meaning: 'Diagnostic Imaging Report' }

export interface EncapsulatedPDF {
  output?: OutputName | undefined
  /** Bytes of the PDF file. */
  pdf: Uint8Array
  /** Document Title. */
  title: string
  /** What kind of document it is (CID 7020); Diagnostic imaging study when left out. */
  concept?: Code
  /** Images that it was made from; the source's when left out. */
  images?: readonly SourceSlice[]
}

/**
 * A PDF as a DICOM object (Encapsulated PDF Storage, PS3.3 A.45.1), unverified.
 * @throws {EncodeError} `nothing-to-encode` when the bytes are no PDF
 */
export function encodeEncapsulatedPDF(context: ResultContext, document: EncapsulatedPDF): EncodedObject {
  const { algorithm } = context
  const { pdf, title, concept = diagnosticImagingReport } = document
  if (Buffer.from(pdf.subarray(0, 5)).toString('latin1') !== '%PDF-')
    throw new EncodeError('nothing-to-encode', 'the document is no PDF: %PDF- is expected at its start')
  const moment = momentOf(context)
  const kind = {
    role: 'document',
    output: document.output,
    sopClassUID: SOP.encapsulatedPDF,
    modality: 'DOC',
    description: 'summary',
  } as const
  return encodeObject(context, kind, {
    ...codingSchemes([concept]),
    ConversionType: 'WSD',
    ContentDate: moment.date,
    ContentTime: moment.time,
    AcquisitionDateTime: '',
    // Patient and study stand on the page.
    BurnedInAnnotation: 'YES',
    RecognizableVisualFeatures: 'NO',
    DocumentTitle: algorithm.demonstrator ? `${title} (${notForClinicalUse})` : title,
    VerificationFlag: 'UNVERIFIED',
    ConceptNameCodeSequence: [codeItem(concept)],
    SourceInstanceSequence: instancesOf(context.source, document.images ?? context.source.slices).map(
      ({ sopClassUID, sopInstanceUID }) => ({
        ReferencedSOPClassUID: sopClassUID,
        ReferencedSOPInstanceUID: sopInstanceUID,
      }),
    ),
    MIMETypeOfEncapsulatedDocument: 'application/pdf',
    EncapsulatedDocument: pdf,
    EncapsulatedDocumentLength: pdf.length,
  })
}
