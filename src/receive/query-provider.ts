import { setImmediate as nextTurn } from 'node:timers/promises'
import { commandField } from '../dimse/command-set.ts'
import type { Responder, ServiceProvider, ServiceRequest } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { expectAnswer } from './asking.ts'
import { senderOf } from './c-store.ts'
import { encodeIdentifier } from './query-answer.ts'
import { queryRetrieveClasses, readIdentifier } from './query-identifier.ts'
import type { Ask, ReceiverAnswer } from './questions.ts'

/** Matches after which the other associations, and a C-CANCEL of this one, have their turn. */
const matchesAtOnce = 20

/**
 * C-FIND by Patient Root and Study Root (PS3.4 C.4.1, C.6.1, C.6.2). Matches come from the node a page at a time, the next when the
 * peer has taken the last.
 */
export function queryProvider({ ask }: { ask: Ask }): ServiceProvider {
  return {
    abstractSyntaxes: Object.keys(queryRetrieveClasses.find),
    permission: 'query',
    commandFields: [commandField.cFindRQ],
    provide: (request, responder) => answer(request, responder, ask),
  }
}

async function answer(request: ServiceRequest, responder: Responder, ask: Ask): Promise<void> {
  const { model, level, keys, characterSets } = readIdentifier(request, 'find')
  const sender = senderOf(request.association)
  const written = { transferSyntaxUID: request.context.transferSyntax, characterSets }
  let after: string | null = null
  do {
    const page: Extract<ReceiverAnswer, { about: 'find' }> = expectAnswer(
      await ask({ about: 'find', model, level, keys, after, sender }),
      'find',
    )
    const status = page.unsupported ? dimseStatus.pendingWithWarning : dimseStatus.pending
    for (const [index, match] of page.matches.entries()) {
      if (index % matchesAtOnce === 0) await nextTurn()
      if (responder.signal.aborted) return await responder.respond({ status: dimseStatus.cancelled })
      await responder.respond({ status, dataSet: encodeIdentifier(match, written) })
    }
    after = page.next
  } while (after !== null && !responder.signal.aborted)
  await responder.respond({ status: after === null ? dimseStatus.success : dimseStatus.cancelled })
}
