/** A moment as DICOM writes it: DA, TM and DT (PS3.5 6.2). */
export interface DicomMoment {
  date: string
  time: string
  dateTime: string
}

/**
 * Writes a moment in the time zone of the data set that it goes to: that of Timezone Offset From UTC where the source declares one,
 * else the zone of this machine, because the study's own dates are local ones too.
 * @param at ISO 8601 UTC
 * @param offset `&ZZXX` (PS3.3 C.12.1.1.8), or null
 */
export function dicomMoment(at: string, offset: string | null): DicomMoment {
  const utc = new Date(at)
  const minutes = offsetMinutes(offset) ?? -utc.getTimezoneOffset()
  const local = new Date(utc.getTime() + minutes * 60_000).toISOString()
  const date = local.slice(0, 10).replaceAll('-', '')
  const time = `${local.slice(11, 19).replaceAll(':', '')}.${local.slice(20, 23)}`
  return { date, time, dateTime: `${date}${time}` }
}

function offsetMinutes(offset: string | null): number | null {
  const found = /^([+-])(\d\d)(\d\d)$/.exec(offset?.trim() ?? '')
  if (!found) return null
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]))
}
