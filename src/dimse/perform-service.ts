import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type CommandSet, commandField } from './command-set.ts'
import { DimseError } from './error.ts'
import type { Responder, ServiceProvider, ServiceRequest, ServiceResponse } from './service.ts'
import { dimseStatus, isPending, statusOf } from './status.ts'

/**
 * Has a request served by the provider for its context and command, and sees to it that the peer gets a last response
 * whatever the provider does. Never rejects.
 */
export async function performService(
  request: ServiceRequest,
  responder: Responder,
  options: { services: readonly ServiceProvider[]; log: Log },
): Promise<void> {
  const { association, context, command } = request
  let last = null as number | null
  const counting: Responder = {
    signal: responder.signal,
    store: (file) => responder.store(file),
    async respond(response) {
      // A peer takes what comes after the last response for the answer to its next request.
      if (last !== null && !isPending(last)) throw new Error('the provider responded after its last response')
      last = response.status
      await responder.respond(response)
    },
  }
  try {
    const provider = providerFor(request, options.services)
    if (typeof provider === 'number') return await counting.respond({ status: provider })
    await provider.provide(request, counting)
    if (last === null || isPending(last)) throw new Error('the provider gave no last response')
  } catch (error) {
    // Whoever asked has gone: nobody is left to be answered, and the end of the association has been told already.
    if (error instanceof DimseError && error.code === 'association-lost') return
    const response: ServiceResponse = statusOf(error)
    const { status } = response
    const where = { association: association.id, sopClassUID: context.abstractSyntax, command: command.commandField }
    options.log.warn('request failed', { ...where, status, reason: messageOf(error) })
    if (last !== null && !isPending(last)) return
    await responder.respond(response).catch(() => undefined)
  }
}

/** The provider, or the status that says why there is none. */
function providerFor(request: ServiceRequest, services: readonly ServiceProvider[]): ServiceProvider | number {
  const { context, command } = request
  const serving = services.filter(({ abstractSyntaxes }) => abstractSyntaxes.includes(context.abstractSyntax))
  const provider = serving.find(({ commandFields }) => commandFields.includes(command.commandField))
  if (provider === undefined) return dimseStatus.unrecognizedOperation
  if (!mayUse(provider, request)) return dimseStatus.notAuthorized
  if (command.sopClassUID === context.abstractSyntax) return provider
  return isNormalized(command) ? dimseStatus.noSuchSOPClass : dimseStatus.sopClassNotSupported
}

/** A context may have been accepted for another service of its class, or for the other role. */
function mayUse({ permission }: ServiceProvider, { association, context, command }: ServiceRequest): boolean {
  if (permission !== null && !association.permissions.has(permission)) return false
  const asSCP = command.commandField === commandField.nEventReportRQ
  return asSCP ? context.roles?.scp === true : context.roles?.scu !== false
}

/** The status of a request whose data set is longer than can be held (PS3.7 annex C, PS3.4 C.4). */
export function tooLongStatus(command: CommandSet): number {
  if (isNormalized(command)) return dimseStatus.resourceLimitation
  return command.commandField === commandField.cFindRQ
    ? dimseStatus.outOfResources
    : dimseStatus.outOfResourcesForMatches
}

/** DIMSE-N commands have Command Fields from 0x0100 on. */
const isNormalized = (command: CommandSet): boolean =>
  command.commandField >= commandField.nEventReportRQ && command.commandField <= commandField.nDeleteRQ
