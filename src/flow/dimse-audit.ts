import type { Audit } from '../admin/audit.ts'
import type { Sighting } from '../admin/sightings.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { AssociationRefusal } from '../receive/callers-queries.ts'
import type { ReceiverQuestion } from '../receive/questions.ts'

type Question = Extract<ReceiverQuestion, { about: 'find' | 'retrieve' }>

/** FIND SOP classes of the information models (PS3.4 C.6.1.3, C.6.2.3). */
const findClasses = { 'patient-root': '1.2.840.10008.5.1.4.1.2.1.1', 'study-root': '1.2.840.10008.5.1.4.1.2.2.1' }
const studyInstanceUIDTag = '0020000D'

/** Tells the audit what callers ask for by C-FIND, C-MOVE and C-GET, and who was refused; gathered as what people see is. */
export class DimseAudit {
  readonly #audit: Pick<Audit, 'saw'>
  readonly #log: Log

  constructor(audit: Pick<Audit, 'saw'>, log: Log) {
    this.#audit = audit
    this.#log = log
  }

  asked(question: Question): void {
    const { sender, after, keys } = question
    // Further pages belong to the first.
    if (sender === undefined || after !== null) return
    const who = {
      actor: `aet:${sender.callingAETitle}`,
      address: sender.address,
    }
    const aeTitle = sender.callingAETitle
    const query = JSON.stringify(keys)
    if (question.about === 'find')
      return this.#saw({
        ...who,
        action: 'query',
        detail: { aeTitle, query, sopClassUID: findClasses[question.model] },
      })
    const { destination } = question
    const subject = destination === null ? 'C-GET' : `C-MOVE to ${destination}`
    const detail = { aeTitle, ...(destination !== null && { peer: destination }) }
    const studies = studiesOf(keys)
    if (studies.length === 0) this.#saw({ ...who, action: 'study-move', subject, detail: { ...detail, query } })
    for (const studyInstanceUID of studies)
      this.#saw({ ...who, action: 'study-move', subject, studyInstanceUID, detail })
  }

  refused({ sender, reason }: Pick<AssociationRefusal, 'sender' | 'reason'>): void {
    const { callingAETitle, address } = sender
    // By the address alone: titles can be made up without end.
    this.#saw({
      actor: `host:${address}`,
      address,
      action: 'association-refused',
      outcome: 'failure',
      detail: { aeTitle: callingAETitle, reason },
    })
  }

  #saw(sighting: Sighting): void {
    this.#audit.saw(sighting).catch((error: unknown) => {
      this.#log.error('what a caller asked for cannot be recorded', { reason: messageOf(error) })
    })
  }
}

function studiesOf(keys: DicomJson): string[] {
  const values: readonly unknown[] = keys[studyInstanceUIDTag]?.Value ?? []
  return values.filter((value): value is string => typeof value === 'string' && value !== '')
}
