import { textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import type { Metadata } from '../manifest/input.ts'

type Metadatum = Exclude<Metadata['values'][number], string> & {
  codes?: Record<string, number> | undefined
  otherwise?: number | undefined
  subtract?: number | undefined
  divide?: number | undefined
  range?: { minimum?: number | undefined; maximum?: number | undefined } | undefined
}

/** Years of an Age String (PS3.5 6.2). */
const years: Readonly<Record<string, number>> = { D: 1 / 365.25, W: 7 / 365.25, M: 1 / 12, Y: 1 }

/**
 * Numbers of a header as a vector. Ages are in years.
 * @throws {InferError} `refused` for what is absent, has no number, or is out of range, where the manifest gives nothing instead. Values that
 * could tell who a patient is are not repeated.
 */
export function metadataOf(header: DicomJson, { values }: Metadata): Float64Array {
  return Float64Array.from(values, (value) => numberFor(header, value as Metadatum))
}

function numberFor(header: DicomJson, value: Metadatum): number {
  const { attribute, range, otherwise, subtract = 0, divide = 1 } = value
  const number = readNumber(header, value)
  if (number === null) {
    if (otherwise === undefined)
      throw refusal(
        `${attribute} is ${textOf(header, attribute) === null ? 'absent' : 'none of the values that are known'}: the pipeline needs it`,
      )
    return (otherwise - subtract) / divide
  }
  if (range?.minimum !== undefined && number < range.minimum)
    throw refusal(`${attribute} is below ${range.minimum}, at least that is expected`)
  if (range?.maximum !== undefined && number > range.maximum)
    throw refusal(`${attribute} is above ${range.maximum}, at most that is accepted`)
  return (number - subtract) / divide
}

function readNumber(header: DicomJson, { attribute, codes }: Metadatum): number | null {
  const text = textOf(header, attribute)?.trim() ?? null
  if (attribute === 'PatientAge') {
    const age = ageOf(text) ?? ageAtStudy(header)
    return age
  }
  if (text === null) return null
  if (codes) return codes[text] ?? null
  const number = Number(text)
  return Number.isFinite(number) ? number : null
}

function ageOf(text: string | null): number | null {
  const age = /^(\d{1,3})([DWMY])$/.exec(text ?? '')
  return age ? Number(age[1]) * (years[age[2] as string] as number) : null
}

/** From birth to the study, where the header does not say the age. */
function ageAtStudy(header: DicomJson): number | null {
  const [birth, study] = ['PatientBirthDate', 'StudyDate'].map((keyword) => dateOf(textOf(header, keyword)))
  return birth === null || birth === undefined || study === null || study === undefined
    ? null
    : (study - birth) / 365.25
}

/** Days since 1970 of a DA. */
export function dateOf(text: string | null): number | null {
  const date = /^(\d{4})(\d{2})(\d{2})$/.exec(text ?? '')
  return date ? Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3])) / 86_400_000 : null
}
