import { textOf } from '../dataset.ts'
import type { DicomJson, DicomJsonElement } from '../dicom-json.ts'
import { tagOf } from '../dictionary.ts'
import { DicomError } from '../error.ts'
import { cleanText, identifyingWords } from './clean-text.ts'
import { dummyElement, movedDate } from './dummy.ts'
import { type Action, actionFor, dummyInside, methodCodes, type RetainOption } from './profile.ts'
import { Pseudonyms } from './pseudonyms.ts'
import { restore } from './restore.ts'
import { isSafePrivate } from './safe-private.ts'

/** What the treatment of one data set depends on. */
interface Patient {
  pseudonym: string
  /** Days into the past. */
  shift: number
  words: ReadonlySet<string>
  /** Inside of a sequence that has to be a dummy. */
  told?: boolean
}

/**
 * Takes the identity out of data sets and puts it back into what is made of them (PS3.15 Annex E, Basic Application Level Confidentiality Profile
 * with options). Pixels are not looked at. One object serves one job: its replacements are consistent over all data sets that it was
 * given, and it alone knows the way back.
 */
export class Deidentification {
  readonly #options: ReadonlySet<RetainOption>
  readonly #pseudonyms: Pseudonyms
  /** Original headers by Study Instance UID: one of each study is enough, of which only patient and study are used. */
  readonly #studies = new Map<string, DicomJson>()
  /** Replaced Patient IDs. */
  readonly #patients = new Set<string>()

  /** @param options.key as for `Pseudonyms` */
  constructor(options: { retain?: Iterable<RetainOption>; key?: Uint8Array } = {}) {
    this.#options = new Set(options.retain)
    this.#pseudonyms = new Pseudonyms(options.key)
    if (this.#options.has('full-dates') && this.#options.has('modified-dates'))
      throw new DicomError('invalid-value', 'dates are retained in full or modified, not both')
  }

  /** The data set without its identity, with what was done to it; the one that is given is not changed. */
  deidentify(dataSet: DicomJson): DicomJson {
    const study = textOf(dataSet, 'StudyInstanceUID') ?? ''
    if (!this.#studies.has(study)) this.#studies.set(study, dataSet)
    const patientID = `${textOf(dataSet, 'PatientID') ?? ''}\0${textOf(dataSet, 'IssuerOfPatientID') ?? ''}`
    const patient: Patient = {
      pseudonym: this.#pseudonyms.patient(patientID),
      shift: this.#pseudonyms.shift(patientID),
      words: identifyingWords(dataSet),
    }
    this.#patients.add(patient.pseudonym)
    return { ...this.#treat(dataSet, patient), ...this.#statement() }
  }

  /**
   * Restores the identity in an object that was made of de-identified data sets: UIDs and moved dates wherever they stand, patient and study as they
   * were. UIDs that are new stay.
   * @throws {DicomError} `invalid-value` when its study is none of those that were handed out
   */
  reidentify(dataSet: DicomJson): DicomJson {
    const given = textOf(dataSet, 'StudyInstanceUID') ?? ''
    const header = this.#studies.get(this.#pseudonyms.originalOf(given) ?? given)
    if (!header)
      throw new DicomError('invalid-value', 'the study of the returned object is none of those that were handed out')
    return restore(dataSet, { header, pseudonyms: this.#pseudonyms, patients: this.#patients })
  }

  /** The original of a UID that was handed out; the same where it was not. */
  originalUID(uid: string): string {
    return this.#pseudonyms.originalOf(uid) ?? uid
  }

  #treat(dataSet: DicomJson, patient: Patient): DicomJson {
    const treated: DicomJson = {}
    for (const [tag, element] of Object.entries(dataSet)) {
      const result = this.#element(tag, element, dataSet, patient)
      if (result) treated[tag] = result
    }
    return treated
  }

  #element(tag: string, element: DicomJsonElement, within: DicomJson, patient: Patient): DicomJsonElement | null {
    const { vr } = element
    if (tag.startsWith('0002')) return null
    if (/^...[13579BDF]/.test(tag))
      return this.#options.has('safe-private') && isSafePrivate(within, tag) && vr !== 'SQ' ? element : null
    if (tag === patientID) return { vr, Value: [patient.pseudonym] }
    if (tag === patientName) return { vr, Value: [{ Alphabetic: patient.pseudonym }] }
    const action = actionFor(tag, vr, this.#options)
    return this.#act(patient.told && action === 'keep' && dummyInside(tag, vr) ? 'dummy' : action, element, patient)
  }

  #act(action: Action, element: DicomJsonElement, patient: Patient): DicomJsonElement | null {
    const { vr, Value } = element
    switch (action) {
      case 'keep':
        return element
      case 'remove':
        return null
      case 'empty':
        return { vr }
      case 'dummy':
        // An empty value says nothing already.
        return isEmpty(element) ? { vr } : dummyElement(vr)
      case 'uid':
        return mapped(element, (uid) => this.#pseudonyms.uid(uid))
      case 'date':
        return mapped(element, (text) => this.#moved(vr, text, patient.shift))
      case 'text':
        return mapped(element, (text) => cleanText(text, patient.words))
      case 'items':
      case 'dummy-items': {
        const inside = action === 'dummy-items' ? { ...patient, told: true } : patient
        const items = (Value ?? []).filter((item): item is DicomJson => typeof item === 'object' && item !== null)
        if (items.length === 0) return { vr: 'SQ' }
        return { vr: 'SQ', Value: items.map((item) => this.#treat(item, inside)) }
      }
    }
  }

  /** Times of the day stay: without the date they are no date. */
  #moved(vr: string, text: string, shift: number): string {
    if (vr === 'TM') return text
    const moved = movedDate(vr, text, -shift)
    this.#pseudonyms.remember(moved, text)
    return moved
  }

  /** PS3.3 C.7.1.1 and C.12.1: what was done. */
  #statement(): DicomJson {
    const codes = [methodCodes.basic, ...[...this.#options].map((option) => methodCodes[option])]
    const temporal = this.#options.has('full-dates')
      ? 'UNMODIFIED'
      : this.#options.has('modified-dates')
        ? 'MODIFIED'
        : 'REMOVED'
    return {
      '00120062': { vr: 'CS', Value: ['YES'] },
      '00120063': { vr: 'LO', Value: ['PS3.15 E.1 Basic Profile'] },
      '00120064': {
        vr: 'SQ',
        Value: codes.map(([value, meaning]) => ({
          '00080100': { vr: 'SH', Value: [value] },
          '00080102': { vr: 'SH', Value: ['DCM'] },
          '00080104': { vr: 'LO', Value: [meaning] },
        })),
      },
      '00280303': { vr: 'CS', Value: [temporal] },
    }
  }
}

const patientID = tagOf('PatientID') as string
const patientName = tagOf('PatientName') as string

function isEmpty({ Value, InlineBinary, BulkDataURI }: DicomJsonElement): boolean {
  return !Value?.length && !InlineBinary && !BulkDataURI
}

/** Texts of an element replaced; what is no text (an empty value) stays. */
function mapped(element: DicomJsonElement, replace: (text: string) => string): DicomJsonElement {
  const { vr, Value } = element
  if (!Value) return { vr }
  return { vr, Value: Value.map((value) => (typeof value === 'string' ? replace(value) : null)) }
}
