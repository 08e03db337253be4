import type { Knex } from 'knex'
import { countListed, type ListedInstances, type Statement } from '../assemble/hint.ts'
import { expireHints, keepHint, stateOfHint } from '../assemble/hint-rows.ts'
import type { Hl7Order } from '../assemble/hl7-order.ts'
import { availabilityOf, performedStepOf, stepStates } from '../assemble/performed-step.ts'
import { dimseStatus } from '../dimse/status.ts'
import type { Log } from '../log.ts'
import type { ReceiverAnswer, ReceiverQuestion } from '../receive/questions.ts'
import type { Sender } from '../receive/received.ts'

export interface HintsOptions {
  database: Knex
  log: Log
  /** Told of the studies that are here and of which something new is known: the assembler looks again, and pages refresh. */
  onHint: (studyInstanceUIDs: readonly string[]) => void
  now?: () => Date
}

/** Days after which hints of studies that never came are forgotten. */
const expiryDays = 30

/** Statuses of a performed procedure step's responses (PS3.7 annex C, PS3.4 F.7.2.2.2). */
const failure = {
  invalidAttributeValue: {
    about: 'failure',
    status: dimseStatus.invalidAttributeValue,
    comment: 'Performed Procedure Step Status is not a defined term',
  },
  notInProgress: {
    about: 'failure',
    status: dimseStatus.invalidAttributeValue,
    comment: 'a step is created with the status IN PROGRESS',
  },
  noStatus: {
    about: 'failure',
    status: dimseStatus.missingAttribute,
    comment: 'Performed Procedure Step Status is missing',
  },
  duplicate: {
    about: 'failure',
    status: dimseStatus.duplicateSOPInstance,
    comment: 'there is a step of that SOP Instance UID',
  },
  unknown: {
    about: 'failure',
    status: dimseStatus.noSuchObjectInstance,
    comment: 'there is no step of that SOP Instance UID',
  },
  // The words and the number are those of table F.7.2-2.
  final: {
    about: 'failure',
    status: dimseStatus.processingFailure,
    comment: 'Performed Procedure Step Object may no longer be updated',
    errorID: 0xa710,
  },
  noStudy: { about: 'failure', status: dimseStatus.missingAttribute, comment: 'Study Instance UID is missing' },
} as const satisfies Record<string, ReceiverAnswer>

/** Keeps what steps, notifications and orders say of studies, whether those are here already or not, and tells of it. */
export class Hints {
  readonly #options: HintsOptions

  constructor(options: HintsOptions) {
    this.#options = options
  }

  /** The answer to a performed procedure step or a notification; a failure where the standard wants one. */
  async answer(
    question: Extract<ReceiverQuestion, { about: 'mpps-create' | 'mpps-set' | 'availability' }>,
  ): Promise<ReceiverAnswer> {
    switch (question.about) {
      case 'mpps-create':
        return await this.#createStep(question)
      case 'mpps-set':
        return await this.#setStep(question)
      case 'availability':
        return await this.#available(question)
    }
  }

  /** What an HL7 message says of its orders. @param from the message's type, and the sender's address */
  async order(orders: readonly Hl7Order[], from: { type: string; address: string }): Promise<void> {
    const statements = orders.flatMap((order) => statementsOf(order, from))
    const studies = await this.#options.database.transaction(async (trx) => {
      const told: string[] = []
      for (const statement of statements) {
        // What comes late, or out of order, does not open an order again that was completed.
        const known = statement.state === 'noted' ? await stateOfHint(trx, 'order', statement.reference) : null
        told.push(...(await keepHint(trx, { ...statement, state: known ?? statement.state }, this.#now())))
      }
      return told
    })
    this.#tell(studies)
  }

  /** Forgets what was said long ago of studies that never came. To be called once a day. @returns how many hints */
  async expire(): Promise<number> {
    const before = Date.parse(this.#now()) - expiryDays * 86_400_000
    return await expireHints(this.#options.database, new Date(before).toISOString())
  }

  async #createStep({ sopInstanceUID, attributes, sender }: StepQuestion): Promise<ReceiverAnswer> {
    const step = performedStepOf(attributes)
    if (step.status === undefined) return failure.noStatus
    if (!isStepStatus(step.status)) return failure.invalidAttributeValue
    // PS3.4 F.7.2.1.2: creation is the beginning of a step.
    if (step.status !== 'IN PROGRESS') return failure.notInProgress
    const since = step.startedAt === null ? '' : ` since ${step.startedAt}`
    return await this.#keep({
      kind: 'mpps',
      reference: sopInstanceUID,
      state: 'in-progress',
      sender: nameOf(sender),
      subjects: step.subjects,
      instances: step.instances,
      sentence: `MPPS ${sopInstanceUID} in progress${since}, says ${nameOf(sender)}`,
      only: async (trx) => ((await stateOfHint(trx, 'mpps', sopInstanceUID)) === null ? null : failure.duplicate),
    })
  }

  async #setStep({ sopInstanceUID, attributes, sender }: StepQuestion): Promise<ReceiverAnswer> {
    const step = performedStepOf(attributes)
    const status = step.status ?? 'IN PROGRESS'
    if (!isStepStatus(status)) return failure.invalidAttributeValue
    const state = stepStates[status]
    return await this.#keep({
      kind: 'mpps',
      reference: sopInstanceUID,
      state,
      sender: nameOf(sender),
      subjects: step.subjects,
      instances: step.instances,
      sentence: state === 'in-progress' ? null : `MPPS ${sopInstanceUID} ${state}${listOf(step.instances)}`,
      only: async (trx) => {
        const known = await stateOfHint(trx, 'mpps', sopInstanceUID)
        if (known === null) return failure.unknown
        return known === 'in-progress' ? null : failure.final
      },
    })
  }

  async #available({ attributes, sender }: AvailabilityQuestion): Promise<ReceiverAnswer> {
    const { subjects, instances } = availabilityOf(attributes)
    const [study] = subjects
    if (study === undefined || !('studyInstanceUID' in study)) return failure.noStudy
    return await this.#keep({
      kind: 'availability',
      reference: study.studyInstanceUID,
      state: 'available',
      sender: nameOf(sender),
      subjects,
      instances,
      addsInstances: true,
      sentence: `instances available at ${nameOf(sender)}${listOf(instances)}`,
    })
  }

  /** @param only says inside the transaction why it is not kept; null: it is */
  async #keep({
    only,
    ...statement
  }: Statement & { only?: (trx: Knex) => Promise<ReceiverAnswer | null> }): Promise<ReceiverAnswer> {
    const { database, log } = this.#options
    const kept = await database.transaction(async (trx) => {
      const refused = (await only?.(trx)) ?? null
      return refused ?? (await keepHint(trx, statement, this.#now()))
    })
    if (!Array.isArray(kept)) return kept
    const { kind, reference, state } = statement
    log.info('a hint of completeness was kept', { kind, reference, state, studies: kept.length })
    this.#tell(kept)
    return { about: 'done' }
  }

  #tell(studies: readonly string[]): void {
    if (studies.length > 0) this.#options.onHint([...new Set(studies)])
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString()
  }
}

type StepQuestion = Extract<ReceiverQuestion, { about: 'mpps-create' | 'mpps-set' }>
type AvailabilityQuestion = Extract<ReceiverQuestion, { about: 'availability' }>

const nameOf = ({ callingAETitle, address }: Sender): string => `${callingAETitle}@${address}`

function isStepStatus(status: string): status is keyof typeof stepStates {
  return Object.hasOwn(stepStates, status)
}

function listOf(instances: ListedInstances | null): string {
  const listed = instances === null ? 0 : countListed(instances)
  if (instances === null || listed === 0) return ''
  const series = Object.values(instances).filter((uids) => uids.length > 0).length
  return `: ${plural(listed, 'instance')} in ${plural(series, 'series')}`
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 || what.endsWith('s') ? '' : 's'}`

const wordsOf = {
  completed: 'the order is completed',
  cancelled: 'the order is cancelled',
  noted: 'an order for this study',
} as const satisfies Record<Hl7Order['state'], string>

/** By its Study Instance UID where there is one, else by everything that may be its accession number. */
function statementsOf(order: Hl7Order, { type, address }: { type: string; address: string }): Statement[] {
  const { studyInstanceUID, accessionNumbers, state, because } = order
  const subjects =
    studyInstanceUID === null
      ? accessionNumbers.map((accessionNumber) => ({ reference: accessionNumber, subject: { accessionNumber } }))
      : [{ reference: studyInstanceUID, subject: { studyInstanceUID } }]
  return subjects.map(({ reference, subject }) => ({
    kind: 'order',
    reference,
    state,
    sender: address,
    subjects: [subject],
    instances: null,
    sentence: `HL7 ${type}: ${wordsOf[state]}${because === null ? '' : ` (${because})`}`,
  }))
}
