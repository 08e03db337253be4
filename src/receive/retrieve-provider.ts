import { commandField } from '../dimse/command-set.ts'
import { DimseError } from '../dimse/error.ts'
import { InstanceSender } from '../dimse/instance-sender.ts'
import type { Responder, ServiceProvider, ServiceRequest } from '../dimse/service.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { expectAnswer } from './asking.ts'
import { senderOf } from './c-store.ts'
import { type QueryIdentifier, queryRetrieveClasses, readIdentifier, uniqueKeysOf } from './query-identifier.ts'
import type { Ask, ReceiverAnswer, RetrievableInstance } from './questions.ts'
import type { Sender } from './received.ts'
import { calledRemote } from './remote-address.ts'
import { SubOperations } from './sub-operations.ts'

export interface RetrieveProviderOptions {
  ask: Ask
  /** Ours: the calling AE title of the associations that C-MOVE opens. */
  aeTitle: string
  log: Log
}

type Page = Extract<ReceiverAnswer, { about: 'retrieve' }>

/**
 * C-MOVE by Patient Root and Study Root (PS3.4 C.4.2): instances go to a configured remote, with the originator of the move named, over one
 * association as long as its presentation contexts do: as they are stored, or where it takes no other, with the element headers of
 * another uncompressed transfer syntax.
 */
export function moveProvider(options: RetrieveProviderOptions): ServiceProvider {
  return {
    abstractSyntaxes: Object.keys(queryRetrieveClasses.move),
    permission: 'retrieve',
    commandFields: [commandField.cMoveRQ],
    provide: (request, responder) => move(request, responder, options),
  }
}

/** C-GET by Patient Root and Study Root (PS3.4 C.4.3): instances come back on the association that asks for them. */
export function getProvider(options: RetrieveProviderOptions): ServiceProvider {
  return {
    abstractSyntaxes: Object.keys(queryRetrieveClasses.get),
    permission: 'retrieve',
    commandFields: [commandField.cGetRQ],
    provide: (request, responder) => get(request, responder, options),
  }
}

async function move(request: ServiceRequest, responder: Responder, options: RetrieveProviderOptions): Promise<void> {
  const identifier = readIdentifier(request, 'move')
  const destination = request.command.moveDestination ?? ''
  let sending: Sending | null = null
  let failure: string | null = null
  try {
    const sender = senderOf(request.association)
    for await (const page of pagesOf(identifier, { destination, ask: options.ask, signal: responder.signal, sender })) {
      sending ??= sendingOf(page, { request, responder, aeTitle: options.aeTitle })
      sending.sender.expect(page.instances)
      failure = await sendPage(page.instances, sending, responder.signal)
      if (failure !== null) break
    }
  } finally {
    // Not waited for: a client that does one thing at a time answers the release when it has had its last response.
    void sending?.sender.close()
  }
  const cancelled = responder.signal.aborted
  const operations = sending?.operations ?? new SubOperations(responder, 0)
  const { failure: first, ...counts } = operations.summary
  tell(request, options.log, { operation: 'C-MOVE', destination, cancelled, ...counts, failure: failure ?? first })
  await operations.finish({
    cancelled,
    transferSyntaxUID: request.context.transferSyntax,
    ...(failure !== null && { comment: failure }),
  })
}

/** What a C-MOVE is performed with, once its first page is known. */
interface Sending {
  sender: InstanceSender
  operations: SubOperations
  /** Associations in a row that ended while an instance was sent. */
  lost: number
}

function sendingOf(
  { destination, total }: Page,
  { request, responder, aeTitle }: { request: ServiceRequest; responder: Responder; aeTitle: string },
): Sending {
  if (destination === null) throw new HilumError('no-destination', 'the node did not say where the destination listens')
  const { callingAETitle } = request.association
  const moveOriginator = { aeTitle: callingAETitle, messageID: request.command.messageID ?? 0 }
  return {
    sender: new InstanceSender({ ...calledRemote(destination), callingAETitle: aeTitle, moveOriginator }),
    operations: new SubOperations(responder, total),
    lost: 0,
  }
}

/** How the sender begins its reason for what it had no association for. */
const notSent = 'not sent: '
/** After so many lost associations in a row the rest is not tried: each may have taken the whole of a time-out. */
const patience = 3

/**
 * Sends instances one after the other, until the retrieval is cancelled: then the one under way is still finished.
 * @returns why the destination cannot be reached (any more), null where it can; all that is left has failed then
 */
async function sendPage(
  instances: readonly RetrievableInstance[],
  sending: Sending,
  signal: AbortSignal,
): Promise<string | null> {
  const { sender, operations } = sending
  let failure: string | null = null
  for (const { path, sopInstanceUID } of instances) {
    if (signal.aborted) return null
    if (path === null || failure !== null) {
      operations.settled(sopInstanceUID, null, failure ?? noFile)
      continue
    }
    const { status, reason, retry } = await sender.send(path)
    operations.settled(sopInstanceUID, status, reason)
    sending.lost = status === null && retry === 'ambiguous' ? sending.lost + 1 : 0
    if (status === null && reason?.startsWith(notSent)) failure = reason.slice(notSent.length)
    else if (sending.lost === patience) failure = reason
  }
  if (failure !== null) operations.failRest()
  return failure
}

async function get(request: ServiceRequest, responder: Responder, options: RetrieveProviderOptions): Promise<void> {
  const identifier = readIdentifier(request, 'get')
  let operations: SubOperations | null = null
  const sender = senderOf(request.association)
  const asked = { destination: null, ask: options.ask, signal: responder.signal, sender }
  for await (const page of pagesOf(identifier, asked)) {
    operations ??= new SubOperations(responder, page.total)
    for (const instance of page.instances) {
      if (responder.signal.aborted) break
      const { status, reason } = await store(instance, responder, options.log)
      operations.settled(instance.sopInstanceUID, status, reason)
    }
  }
  const cancelled = responder.signal.aborted
  operations ??= new SubOperations(responder, 0)
  tell(request, options.log, { operation: 'C-GET', destination: null, cancelled, ...operations.summary })
  await operations.finish({ cancelled, transferSyntaxUID: request.context.transferSyntax })
}

/** Why an instance of the answer is not sent. */
const noFile = 'its file is not there'

/** @returns the status of the sub-operation; null where it could not be performed, with the reason */
async function store(
  { path, ...instance }: RetrievableInstance,
  responder: Responder,
  log: Log,
): Promise<{ status: number | null; reason: string | null }> {
  if (path === null) return { status: null, reason: noFile }
  const { sopClassUID, sopInstanceUID, transferSyntaxUID } = instance
  try {
    const status = await responder.store({ path, ...instance })
    const noContext = `no accepted context is for SOP class ${sopClassUID} in transfer syntax ${transferSyntaxUID}`
    return { status, reason: status === null ? noContext : null }
  } catch (error) {
    if (error instanceof DimseError) throw error
    const reason = messageOf(error)
    log.error('an instance could not be read for C-GET', { sopInstanceUID, reason })
    return { status: null, reason }
  }
}

/** Pages of instances, each asked for when the one before is done with. */
async function* pagesOf(
  identifier: QueryIdentifier,
  { destination, ask, signal, sender }: { destination: string | null; ask: Ask; signal: AbortSignal; sender: Sender },
): AsyncGenerator<Page> {
  const { model, level } = identifier
  const keys = uniqueKeysOf(identifier)
  let after: string | null = null
  do {
    const page: Page = expectAnswer(
      await ask({ about: 'retrieve', model, level, keys, destination, after, sender }),
      'retrieve',
    )
    yield page
    after = page.next
  } while (after !== null && !signal.aborted)
}

function tell(
  { association }: ServiceRequest,
  to: Log,
  what: { operation: string; destination: string | null; cancelled: boolean } & SubOperations['summary'],
): void {
  const { operation, ...rest } = what
  to[what.failed > 0 ? 'warn' : 'info'](`${operation} answered`, {
    association: association.id,
    callingAETitle: association.callingAETitle,
    ...rest,
  })
}
