import { readableSyntaxes } from './readable-syntaxes.ts'
import type { ScuOptions } from './scu-options.ts'
import { dimseStatus } from './status.ts'
import { type EventReport, encodeEventReport } from './sub-operation.ts'
import { withAssociation } from './with-association.ts'

/**
 * N-EVENT-REPORT on an association of its own: we are the SCP of the service, and say so by role selection (PS3.4 J.3.3,
 * PS3.7 D.3.3.4). A peer that does not answer the role is taken to agree, since most of them mean it.
 * @returns the status of the response
 * @throws {DimseError} `connection-failed`, `association-rejected`, `association-lost`, `time-out`, `cancelled`
 */
export async function reportEvent(peer: ScuOptions, event: EventReport): Promise<number> {
  const abstractSyntax = event.sopClassUID
  const proposal = {
    contexts: [{ id: 1, abstractSyntax, transferSyntaxes: readableSyntaxes }],
    roles: [{ sopClassUID: abstractSyntax, scu: false, scp: true }],
  }
  return await withAssociation(peer, proposal, async (association) => {
    const { id, transferSyntax } = association.contextFor(abstractSyntax)
    const dataSet = await event.encode?.(transferSyntax)
    const command = encodeEventReport(event, association.nextMessageID(), dataSet !== undefined)
    await association.writeMessage(id, command, dataSet)
    return (await association.response()).status ?? dimseStatus.processingFailure
  })
}
