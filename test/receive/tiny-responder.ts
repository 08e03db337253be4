import { encodeDataSet } from '../../src/dicom/data-set-writer.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import type { CommandSet } from '../../src/dimse/command-set.ts'
import type { Responder, ServiceRequest, ServiceResponse } from '../../src/dimse/service.ts'

/** A responder that keeps what is answered. */
export class TinyResponder implements Responder {
  readonly responses: ServiceResponse[] = []
  readonly controller = new AbortController()
  /** Statuses of C-GET's sub-operations, by SOP Instance UID; 0 by default. */
  readonly statuses = new Map<string, number | null>()
  readonly stored: string[] = []
  /** Called with every response. */
  onRespond: (response: ServiceResponse) => void = () => undefined

  get signal(): AbortSignal {
    return this.controller.signal
  }

  get last(): ServiceResponse | undefined {
    return this.responses.at(-1)
  }

  respond(response: ServiceResponse): Promise<void> {
    this.responses.push(response)
    this.onRespond(response)
    return Promise.resolve()
  }

  store({ sopInstanceUID }: { sopInstanceUID: string }): Promise<number | null> {
    this.stored.push(sopInstanceUID)
    const status = this.statuses.get(sopInstanceUID)
    return Promise.resolve(status === undefined ? 0 : status)
  }
}

const nothing = {
  commandField: 0,
  messageID: 7,
  messageIDBeingRespondedTo: null,
  sopClassUID: null,
  sopInstanceUID: null,
  hasDataSet: true,
  status: null,
  errorComment: null,
  moveDestination: null,
  priority: null,
  eventTypeID: null,
  actionTypeID: null,
  attributeIdentifiers: null,
  moveOriginatorAETitle: null,
  moveOriginatorMessageID: null,
  remaining: null,
  completed: null,
  failed: null,
  warning: null,
} satisfies CommandSet

/** A request as a listener hands it on. @param natural its data set; null: none */
export function requestOf(
  abstractSyntax: string,
  command: Partial<CommandSet>,
  natural: Record<string, unknown> | null,
): ServiceRequest {
  const context = { id: 1, abstractSyntax, transferSyntax: TS.explicitVRLittleEndian }
  return {
    association: {
      id: 'association-1',
      callingAETitle: 'WORKSTATION',
      calledAETitle: 'HILUM',
      address: '10.0.0.7',
      contexts: new Map([[1, context]]),
      peerMaxPdu: 16_384,
      permissions: new Set(['store', 'query', 'retrieve'] as const),
      tls: null,
    },
    context,
    command: { ...nothing, ...command, sopClassUID: abstractSyntax },
    dataSet: natural && encodeDataSet(natural, context.transferSyntax),
  }
}
