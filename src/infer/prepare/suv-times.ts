import { numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import { privateText } from './header.ts'

/** Seconds of a day of a time (TM: HHMMSS.FFFFFF, older HH:MM:SS); null where it is none. An offset from UTC is left aside. */
export function secondsOfDay(time: string): number | null {
  const match = /^(\d\d):?(\d\d)?:?(\d\d(?:\.\d+)?)?/.exec(time.trim())
  if (!match) return null
  return Number(match[1]) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
}

/** Seconds since 1970 of a date (DA) and a time, in the scanner's own time; null where one is none. */
export function instantOf(date: string | null, time: string | null): number | null {
  const match = /^(\d{4})[.]?(\d\d)[.]?(\d\d)/.exec(date ?? '')
  const seconds = time === null ? null : secondsOfDay(time)
  if (!match || seconds === null) return null
  return Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) / 1000 + seconds
}

/**
 * The instant that images with Decay Correction START were corrected to. Vendors' own attributes say it best; else it is the start of the
 * series, where that is not after the acquisition; a series that was written later is traced back from the acquisition by Frame Reference
 * Time.
 * @param halfLife seconds
 * @throws {InferError} `refused` with the attribute that is missing
 */
export function referenceInstant(header: DicomJson, halfLife: number): { instant: number; source: string } {
  const own = [
    ['0071', 'SIEMENS MED PT', '22', 'decay correction time of Siemens'],
    ['0009', 'GEMS_PETD_01', '0D', 'scan time of GE'],
  ] as const
  for (const [group, creator, element, source] of own) {
    const dateTime = privateText(header, group, creator, element)
    const instant = dateTime === null ? null : instantOf(dateTime.slice(0, 8), dateTime.slice(8))
    if (instant !== null) return { instant, source }
  }
  const series = instantOf(textOf(header, 'SeriesDate'), textOf(header, 'SeriesTime'))
  const acquisition = instantOf(
    textOf(header, 'AcquisitionDate') ?? textOf(header, 'SeriesDate'),
    textOf(header, 'AcquisitionTime'),
  )
  if (acquisition === null)
    throw refusal('Acquisition Time is missing: SUV cannot be computed', { keyword: 'AcquisitionTime' })
  if (series !== null && series <= acquisition) return { instant: series, source: 'Series Time' }
  const offset = numberOf(header, 'FrameReferenceTime')
  const duration = numberOf(header, 'ActualFrameDuration')
  if (offset === null || !(offset > 0))
    throw refusal(
      'Series Time is after Acquisition Time, and Frame Reference Time is missing: SUV cannot be computed',
      {
        keyword: 'FrameReferenceTime',
      },
    )
  if (duration === null || !(duration > 0))
    throw refusal(
      'Series Time is after Acquisition Time, and Actual Frame Duration is missing: SUV cannot be computed',
      {
        keyword: 'ActualFrameDuration',
      },
    )
  const average = averageCountRateTime(duration / 1000, halfLife)
  return { instant: acquisition + average - offset / 1000, source: 'Acquisition Time and Frame Reference Time' }
}

/** Seconds after the start of a frame at which its count rate is its mean. */
function averageCountRateTime(duration: number, halfLife: number): number {
  const decay = (Math.LN2 * duration) / halfLife
  return (duration / decay) * Math.log(decay / -Math.expm1(-decay))
}
