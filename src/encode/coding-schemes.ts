import type { Code } from '../dicom/codes.ts'
import type { NaturalDataSet } from './patient-study.ts'

/** Private concepts of the pipelines: used where neither SNOMED CT nor DICOM nor RadLex has a code. */
export const privateScheme = '99HILUM'

/**
 * Coding Scheme Identification (PS3.3 C.12.1.1.1) for the private scheme, or nothing when none of the codes is private.
 * @param codes every code of the object that could be private
 */
export function codingSchemes(codes: readonly Code[]): NaturalDataSet {
  if (!codes.some((code) => code.scheme === privateScheme)) return {}
  return {
    CodingSchemeIdentificationSequence: [
      {
        CodingSchemeDesignator: privateScheme,
        CodingSchemeName: 'Hilum measurements',
        CodingSchemeResponsibleOrganization: 'Hilum',
      },
    ],
  }
}
