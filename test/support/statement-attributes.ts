import type { DicomJson } from '../../src/dicom/dicom-json.ts'

const element = (vr: string, ...Value: unknown[]) => ({ vr, Value })

/** Attributes of a performed procedure step as its messages carry them; what is absent is left out. */
export function stepOf(step: {
  status?: string
  studies?: string[]
  series?: Record<string, string[]>
  startedAt?: [date: string, time: string]
}): DicomJson {
  const { status, studies, series, startedAt } = step
  return {
    ...(startedAt ? { '00400244': element('DA', startedAt[0]), '00400245': element('TM', startedAt[1]) } : {}),
    ...(status === undefined ? {} : { '00400252': element('CS', status) }),
    ...(studies ? { '00400270': element('SQ', ...studies.map((uid) => ({ '0020000D': element('UI', uid) }))) } : {}),
    ...(series
      ? {
          '00400340': element(
            'SQ',
            ...Object.entries(series).map(([uid, instances]) => ({
              '0020000E': element('UI', uid),
              '00081140': element('SQ', ...instances.map((instance) => ({ '00081155': element('UI', instance) }))),
            })),
          ),
        }
      : {}),
  }
}

/** Attributes of an availability notification about one series of a study. */
export function availabilityOf(study: string, online: string[], unavailable: string[]): DicomJson {
  const reference = (uid: string, availability: string) => ({
    '00081155': element('UI', uid),
    '00080056': element('CS', availability),
  })
  const references = [
    ...online.map((uid) => reference(uid, 'ONLINE')),
    ...unavailable.map((uid) => reference(uid, 'UNAVAILABLE')),
  ]
  return {
    '0020000D': element('UI', study),
    '00081115': element('SQ', { '0020000E': element('UI', `${study}.1`), '00081199': element('SQ', ...references) }),
  }
}
