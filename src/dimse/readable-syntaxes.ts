import { TS } from '../dicom/transfer-syntax.ts'

/** Transfer syntaxes of the data sets that we read and write ourselves, other than instances; best first. */
export const readableSyntaxes: string[] = [TS.explicitVRLittleEndian, TS.implicitVRLittleEndian]
