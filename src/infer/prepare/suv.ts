import { itemsOf, numberOf, textOf, textsOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import { privateText } from './header.ts'
import { instantOf, referenceInstant, secondsOfDay } from './suv-times.ts'

/** What uptake is divided by: body weight, lean body mass, body surface area, ideal body weight. */
export type Normalisation = 'bw' | 'lbm' | 'bsa' | 'ibw'
/** James with 128 (LBMJAMES128), with 120 as older scanners (LBM), or Janmahasatian (LBMJANMA). */
export type LeanBodyMass = 'james' | 'james-120' | 'janmahasatian'

export interface SuvOptions {
  normalisation: Normalisation
  leanBodyMass: LeanBodyMass
}

/** Seconds: with a longer half-life, an error of whole days would still give SUVs that look right. */
const longHalfLife = 41400

/** A factor from rescaled values to SUV, and how it came about. */
export interface SuvFactor {
  factor: number
  explanation: string
}

/**
 * What rescaled pixel values are multiplied by to become standardised uptake values, after the vendor-neutral rules of QIBA: Bq/ml, corrected
 * for attenuation and decay, over the dose as decayed until the time that the images were corrected to; counts of Philips by its private
 * factors; values that are SUV already are brought from their normalisation to the wanted one.
 * @param header of any instance of the series
 * @returns g/ml, for `bsa` cm²/ml
 * @throws {InferError} `refused`, with the name of the attribute that is missing or unfit
 */
export function suvFactor(header: DicomJson, options: SuvOptions): SuvFactor {
  const units = need(textOf(header, 'Units'), 'Units')
  const wanted = normaliser(header, options)
  switch (units) {
    case 'BQML':
      return fromActivity(header, 1, wanted, 'Bq/ml')
    case 'CNTS':
      return fromPhilipsCounts(header, wanted)
    case 'GML': {
      const type = textOf(header, 'SUVType') ?? 'BW'
      return converted(wanted / normaliser(header, optionsOfType(type)), `SUV of type ${type}`)
    }
    case 'CM2ML':
      return converted(wanted / normaliser(header, { normalisation: 'bsa', leanBodyMass: 'james' }), 'SUV of type BSA')
    default:
      throw refusal(`Units is ${units.slice(0, 16)}; BQML, GML, CM2ML, or CNTS of Philips, is expected`)
  }
}

function converted(factor: number, from: string): SuvFactor {
  return { factor, explanation: `the values are ${from} already` }
}

function optionsOfType(type: string): SuvOptions {
  const types: Record<string, SuvOptions> = {
    BW: { normalisation: 'bw', leanBodyMass: 'james' },
    LBM: { normalisation: 'lbm', leanBodyMass: 'james-120' },
    LBMJAMES128: { normalisation: 'lbm', leanBodyMass: 'james' },
    LBMJANMA: { normalisation: 'lbm', leanBodyMass: 'janmahasatian' },
    IBW: { normalisation: 'ibw', leanBodyMass: 'james' },
  }
  const known = types[type]
  if (!known) throw refusal(`SUV Type is ${type.slice(0, 16)}; BW, LBM, LBMJAMES128, LBMJANMA or IBW is expected`)
  return known
}

function fromPhilipsCounts(header: DicomJson, wanted: number): SuvFactor {
  const factorOf = (element: string): number | null => {
    const value = Number(privateText(header, '7053', 'Philips PET Private Group', element))
    return Number.isFinite(value) && value > 0 ? value : null
  }
  const suv = factorOf('00')
  if (suv !== null) {
    const bodyWeight = normaliser(header, { normalisation: 'bw', leanBodyMass: 'james' })
    return { factor: (suv * wanted) / bodyWeight, explanation: 'counts by SUV Scale Factor (7053,xx00) of Philips' }
  }
  const activity = factorOf('09')
  if (activity !== null)
    return fromActivity(header, activity, wanted, 'counts by the activity factor (7053,xx09) of Philips')
  throw refusal('Units is CNTS, but the private SUV Scale Factor (7053,xx00) of Philips is missing')
}

/** @param scale from pixel values to Bq/ml */
function fromActivity(header: DicomJson, scale: number, wanted: number, what: string): SuvFactor {
  const corrections = textsOf(header, 'CorrectedImage')
  need(corrections[0] ?? null, 'CorrectedImage')
  // QIBA's text says DECAY in places; the defined term is DECY.
  const isDecayCorrected = corrections.includes('DECY') || corrections.includes('DECAY')
  if (!corrections.includes('ATTN')) throw refusal('Corrected Image does not say ATTN: attenuation is not corrected')
  if (!isDecayCorrected) throw refusal('Corrected Image does not say DECY: decay is not corrected')
  const [tracer, ...others] = itemsOf(header, 'RadiopharmaceuticalInformationSequence')
  if (!tracer) throw missing('RadiopharmaceuticalInformationSequence')
  if (others.length > 0) throw refusal('the image has several radiopharmaceuticals, one is expected')
  const dose = needPositive(tracer, 'RadionuclideTotalDose')
  const correction = need(textOf(header, 'DecayCorrection'), 'DecayCorrection')
  if (correction === 'ADMIN')
    return { factor: (scale * wanted) / dose, explanation: `${what}, corrected to the time of administration` }
  if (correction !== 'START')
    throw refusal(`Decay Correction is ${correction.slice(0, 16)}; START or ADMIN is expected`)
  const halfLife = needPositive(tracer, 'RadionuclideHalfLife')
  const reference = referenceInstant(header, halfLife)
  const seconds = reference.instant - administration(tracer, reference.instant, halfLife)
  if (seconds < 0) throw refusal(`the radiopharmaceutical was given ${Math.round(-seconds)} s after the scan`)
  const decayed = dose * 2 ** (-seconds / halfLife)
  return {
    factor: (scale * wanted) / decayed,
    explanation: `${what}, ${Math.round(seconds)} s after administration (${reference.source})`,
  }
}

/** Seconds; without a date it is the last such time of day before the reference. */
function administration(tracer: DicomJson, reference: number, halfLife: number): number {
  const dateTime = textOf(tracer, 'RadiopharmaceuticalStartDateTime')
  const dated = dateTime === null ? null : instantOf(dateTime.slice(0, 8), dateTime.slice(8))
  // De-identification shifts dates, not always all of them alike: a date that cannot be is not believed, its time of day is.
  if (dated !== null && dated <= reference && reference - dated < Math.max(12 * 3600, 10 * halfLife)) return dated
  if (halfLife > longHalfLife) throw missing('RadiopharmaceuticalStartDateTime')
  const time = dateTime === null ? textOf(tracer, 'RadiopharmaceuticalStartTime') : dateTime.slice(8)
  const ofDay = secondsOfDay(need(time, 'RadiopharmaceuticalStartTime'))
  if (ofDay === null) throw refusal('Radiopharmaceutical Start Time is no time')
  const day = 24 * 3600
  const midnight = Math.floor(reference / day) * day
  return midnight + ofDay <= reference ? midnight + ofDay : midnight + ofDay - day
}

/** What activity over dose is multiplied by: g, or cm² for `bsa`. */
export function normaliser(header: DicomJson, { normalisation, leanBodyMass }: SuvOptions): number {
  const weight = needPositive(header, 'PatientWeight')
  if (normalisation === 'bw') return weight * 1000
  const height = needPositive(header, 'PatientSize') * 100
  if (height < 20 || height > 280) throw refusal('Patient Size is no height in metres')
  if (normalisation === 'bsa') return 0.007184 * weight ** 0.425 * height ** 0.725 * 10000
  const male = normalisation === 'ibw' ? 48 + 1.06 * (height - 152) : leanMass(weight, height, 'M', leanBodyMass)
  const female = normalisation === 'ibw' ? 45.5 + 0.91 * (height - 152) : leanMass(weight, height, 'F', leanBodyMass)
  const sex = need(textOf(header, 'PatientSex'), 'PatientSex')
  if (sex !== 'M' && sex !== 'F' && sex !== 'O') throw refusal('Patient Sex is not M, F or O')
  const mass = sex === 'M' ? male : sex === 'F' ? female : (male + female) / 2
  if (!(mass > 0)) throw refusal('Patient Weight and Patient Size give no lean or ideal body mass above 0')
  return mass * 1000
}

/** kg; weight in kg, height in cm (James 1976, Janmahasatian 2005). */
function leanMass(weight: number, height: number, sex: 'M' | 'F', formula: LeanBodyMass): number {
  const ratio = (weight / height) ** 2
  if (formula !== 'janmahasatian')
    return sex === 'M' ? 1.1 * weight - (formula === 'james' ? 128 : 120) * ratio : 1.07 * weight - 148 * ratio
  const bodyMassIndex = 10000 * (weight / height ** 2)
  return (9270 * weight) / (sex === 'M' ? 6680 + 216 * bodyMassIndex : 8780 + 244 * bodyMassIndex)
}

function missing(keyword: string): Error {
  return refusal(`${keyword.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')} is missing: SUV cannot be computed`, { keyword })
}

function need<T>(value: T | null, keyword: string): T {
  if (value === null || value === '') throw missing(keyword)
  return value
}

function needPositive(holder: DicomJson, keyword: string): number {
  const value = need(numberOf(holder, keyword), keyword)
  if (!(value > 0))
    throw refusal(`${keyword.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')} is ${value}, a number above 0 is expected`)
  return value
}
