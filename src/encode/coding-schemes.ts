import type { Code } from '../dicom/codes.ts'
import type { NaturalDataSet } from './patient-study.ts'

/** Private concepts of the pipelines: used where neither SNOMED CT nor DICOM nor RadLex has a code. */
export const privateScheme = '99HILUM'

/** The private scheme, and the one of radiomics features (PS3.16 table 8-1). */
const identified = [
  {
    CodingSchemeDesignator: privateScheme,
    CodingSchemeName: 'Hilum measurements',
    CodingSchemeResponsibleOrganization: 'Hilum',
  },
  {
    CodingSchemeDesignator: 'IBSI',
    CodingSchemeUID: '1.2.840.10008.2.16.13',
    CodingSchemeName: 'Image Biomarker Standardisation Initiative',
  },
]

/**
 * Coding Scheme Identification (PS3.3 C.12.1.1.1) for the schemes that few readers know, or nothing when none of the codes is of one.
 * @param codes every code of the object that could be of one
 */
export function codingSchemes(codes: readonly Code[]): NaturalDataSet {
  const used = identified.filter(({ CodingSchemeDesignator: scheme }) => codes.some((code) => code.scheme === scheme))
  return used.length > 0 ? { CodingSchemeIdentificationSequence: used } : {}
}

/** Every code of naturalised content, at any depth. */
export function codesIn(content: unknown): Code[] {
  if (Array.isArray(content)) return content.flatMap(codesIn)
  if (typeof content !== 'object' || content === null || ArrayBuffer.isView(content)) return []
  const { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning } = content as Record<string, unknown>
  const own =
    typeof value === 'string' && typeof scheme === 'string' ? [{ value, scheme, meaning: String(meaning) }] : []
  return [...own, ...Object.values(content).flatMap(codesIn)]
}
