import path from 'node:path'
import type { Knex } from 'knex'
import { RequestError } from '../dicomweb/request-error.ts'
import { dimseStatus } from '../dimse/status.ts'
import type { ReceiverAnswer, ReceiverQuestion, RemoteAddress } from '../receive/questions.ts'
import type { Objects } from '../store/objects.ts'
import { find } from '../view/find.ts'
import { FindSessions } from '../view/find-sessions.ts'
import { findRetrievable, type RetrievablePage } from '../view/retrievable.ts'
import type { Commitments } from './commitments.ts'
import type { IdentityAnswer, IdentityQuestion } from './identity.ts'

export type StatementQuestion = Extract<ReceiverQuestion, { about: 'mpps-create' | 'mpps-set' | 'availability' }>

export interface AnswersOptions {
  database: Knex
  objects: Objects
  dataDir: string
  /** Ours: where found instances can be had from. */
  aeTitle: string
  /** Resolves when everything that has arrived is indexed. */
  drained(): Promise<void>
  /** Where an application entity listens; null where that is not known. */
  remote(aeTitle: string): RemoteAddress | null
  commitments: Commitments
  judgeIdentity(question: IdentityQuestion): Promise<IdentityAnswer>
  /** Takes performed procedure steps and availability notifications. */
  takeStatement(question: StatementQuestion): Promise<ReceiverAnswer>
  /** Told of what callers search and retrieve. */
  onAsked?(question: Extract<ReceiverQuestion, { about: 'find' | 'retrieve' }>): void
}

/** Answers what the receiving process asks: it knows the network, the node knows the index. */
export class Answers {
  readonly #options: AnswersOptions
  readonly #sessions = new FindSessions()

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** @throws what the database says; a question that cannot be served as asked is answered by a failure */
  async answer(question: ReceiverQuestion): Promise<ReceiverAnswer> {
    try {
      return await this.#answer(question)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      const { comment } = error.detail
      return {
        about: 'failure',
        status: statusOf(error),
        comment: typeof comment === 'string' ? comment : error.message,
      }
    }
  }

  /** Forgets queries between two pages. */
  close(): void {
    this.#sessions.close()
  }

  async #answer(question: ReceiverQuestion): Promise<ReceiverAnswer> {
    const { commitments, judgeIdentity, takeStatement } = this.#options
    switch (question.about) {
      case 'find':
        this.#options.onAsked?.(question)
        return await this.#find(question)
      case 'retrieve':
        this.#options.onAsked?.(question)
        return await this.#retrieve(question)
      case 'commit':
        await commitments.request(question, question.references)
        return { about: 'done' }
      case 'commitment-outcome': {
        const outcome = await commitments.outcome(question)
        if (outcome) return { about: 'commitment-outcome', outcome }
        return { about: 'failure', status: dimseStatus.processingFailure, comment: 'there is no such transaction' }
      }
      case 'commitment-reported':
        await commitments.reported(question, question.reported)
        return { about: 'done' }
      case 'identity':
        return await judgeIdentity(question)
      case 'mpps-create':
      case 'mpps-set':
      case 'availability':
        return await takeStatement(question)
      default:
        return question satisfies never
    }
  }

  async #find({ level, keys, after }: Extract<ReceiverQuestion, { about: 'find' }>): Promise<ReceiverAnswer> {
    const { database, aeTitle, drained } = this.#options
    if (after !== null) return { about: 'find', ...(await this.#sessions.next(after)) }
    // Who has stored something finds it.
    await drained()
    const result = find(database, { level, keys }, { retrieveAETitle: aeTitle })
    return { about: 'find', ...(await this.#sessions.first(result)) }
  }

  async #retrieve(question: Extract<ReceiverQuestion, { about: 'retrieve' }>): Promise<ReceiverAnswer> {
    const { drained, remote } = this.#options
    const destination = question.destination === null ? null : remote(question.destination)
    if (question.destination !== null && destination === null)
      return {
        about: 'failure',
        status: dimseStatus.moveDestinationUnknown,
        comment: 'the move destination is no remote with a host',
      }
    await drained()
    return { about: 'retrieve', destination, ...(await this.#retrievable(question)) }
  }

  /** An object that is on its way from the incoming folder would be gone from there when it is to be sent. */
  async #retrievable(question: Extract<ReceiverQuestion, { about: 'retrieve' }>): Promise<RetrievablePage> {
    const { database, objects, dataDir, drained } = this.#options
    const page = await findRetrievable(database, objects, question)
    const incoming = path.join(dataDir, 'incoming')
    if (!page.instances.some((instance) => instance.path !== null && path.dirname(instance.path) === incoming))
      return page
    await drained()
    return await findRetrievable(database, objects, question)
  }
}

function statusOf({ code }: RequestError): number {
  if (code === 'bad-parameter' || code === 'unknown-parameter') return dimseStatus.dataSetDoesNotMatchSOPClass
  return code === 'too-large' ? dimseStatus.outOfResourcesForMatches : dimseStatus.outOfResources
}
