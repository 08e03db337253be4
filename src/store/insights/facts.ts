import { numberOf, numbersOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'

/** What is kept of an examination beside what was found: nothing that names the patient. */
export interface ExaminationFacts {
  study_date: string | null
  hour: number | null
  weekday: number | null
  age: number | null
  sex: string | null
  modality: string | null
  body_part: string | null
  scanner: string | null
  manufacturer: string | null
  model: string | null
  station: string | null
  protocol: string | null
  kernel: string | null
  slice_thickness: number | null
  pixel_spacing: number | null
  kvp: number | null
  field_strength: number | null
}

/**
 * The facts of an examination, from the headers of the analysed series and of its study.
 * @param series null where the series is not here
 */
export function examinationFacts(study: DicomJson, series: DicomJson | null): ExaminationFacts {
  const own = series ?? {}
  const text = (keyword: string, most = 64) => textOf(own, keyword)?.trim().slice(0, most) || null
  const either = (keyword: string) => textOf(own, keyword) ?? textOf(study, keyword)
  const studyDate = dateOf(either('StudyDate'))
  const taken = dateOf(textOf(own, 'AcquisitionDate') ?? textOf(own, 'SeriesDate')) ?? studyDate
  const [manufacturer, model, station] = [text('Manufacturer'), text('ManufacturerModelName'), text('StationName')]
  const device = [manufacturer, model].filter((part) => part !== null).join(' ')
  return {
    study_date: studyDate,
    hour: hourOf(textOf(own, 'AcquisitionTime') ?? textOf(own, 'SeriesTime') ?? either('StudyTime')),
    weekday: taken === null ? null : ((dayOf(taken).getUTCDay() + 6) % 7) + 1,
    age: ageOf(either('PatientAge'), dateOf(either('PatientBirthDate')), studyDate),
    sex: either('PatientSex')?.trim().toUpperCase().slice(0, 8) || null,
    modality: text('Modality', 32),
    body_part: text('BodyPartExamined')?.toUpperCase() ?? null,
    scanner: [device, station && `(${station})`].filter(Boolean).join(' ') || null,
    manufacturer,
    model,
    station,
    protocol: text('ProtocolName'),
    kernel: text('ConvolutionKernel'),
    slice_thickness: positive(numberOf(own, 'SliceThickness')),
    pixel_spacing: positive(numbersOf(own, 'PixelSpacing')[0] ?? numbersOf(own, 'ImagerPixelSpacing')[0] ?? null),
    kvp: positive(numberOf(own, 'KVP')),
    field_strength: positive(numberOf(own, 'MagneticFieldStrength')),
  }
}

const perYear = { D: 365.25, W: 52.1775, M: 12, Y: 1 } as const

/**
 * Age in years: Patient Age (PS3.5 6.2, AS) where it is given, else from the dates of birth and study. Whole years from one year on:
 * with the study's date more would give the date of birth away.
 * @param birthDate YYYYMMDD
 */
export function ageOf(patientAge: string | null, birthDate: string | null, studyDate: string | null): number | null {
  const [, number, unit] = /^\s*(\d{1,3})([DWMY])\s*$/.exec(patientAge ?? '') ?? []
  if (number !== undefined && unit !== undefined) return whole(Number(number) / perYear[unit as keyof typeof perYear])
  if (birthDate === null || studyDate === null || birthDate > studyDate) return null
  const months =
    (Number(studyDate.slice(0, 4)) - Number(birthDate.slice(0, 4))) * 12 +
    (Number(studyDate.slice(4, 6)) - Number(birthDate.slice(4, 6))) -
    (studyDate.slice(6) < birthDate.slice(6) ? 1 : 0)
  return months > 150 * 12 ? null : whole(months / 12)
}

const whole = (years: number): number => (years >= 1 ? Math.floor(years + 1e-9) : Math.round(years * 12) / 12)

/** DA, of a day that there is. */
function dateOf(text: string | null): string | null {
  const date = text?.trim().replaceAll('.', '') ?? ''
  if (!/^\d{8}$/.test(date)) return null
  const day = dayOf(date)
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10).replaceAll('-', '') === date ? date : null
}

const dayOf = (date: string): Date => new Date(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`)

/** The hour of a TM. */
function hourOf(time: string | null): number | null {
  const hour = /^\s*(\d{2})(?:$|[\d:. ])/.exec(time ?? '')?.[1]
  return hour === undefined || Number(hour) > 23 ? null : Number(hour)
}

function positive(number: number | null): number | null {
  return number !== null && number > 0 ? number : null
}
