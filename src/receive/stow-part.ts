import { parseMediaType } from '../dicomweb/media-type.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { QuarantinedObject } from './received.ts'
import { failureReasonOf, keptOutcome, type PartOutcome } from './stow-response.ts'
import { type IntakeContext, IntakeError, type Named, quarantineRefused, takeIn } from './take-in.ts'

/** Where the instances of one request go, and what they must be. */
export interface StoreRequestContext extends IntakeContext {
  onQuarantined(object: QuarantinedObject): unknown
}

/**
 * Takes one instance in: its bytes go to a file as they come and as they are, and are durable before this returns. What cannot be kept
 * goes to quarantine, with the reason.
 * @param contentType of the part; null where it says none
 * @throws what the request's stream throws, and IncomingError when nothing can be written
 */
export async function takePart(
  body: AsyncIterable<Buffer>,
  contentType: string | null,
  context: StoreRequestContext,
): Promise<PartOutcome> {
  const isDicom = contentType === null || parseMediaType(contentType)?.type === 'application/dicom'
  const refusal = isDicom ? null : new IntakeError('not-part10', 'the part is not of type application/dicom')
  const taken = await takeIn(body, { ...context, refusal })
  if (taken.kind === 'kept') return keptOutcome(taken)
  const { error, named, file } = taken
  // An instance that was cut off for its size is of no use to anybody.
  if (error.code === 'part-too-large' || file?.size === 0) file?.discard()
  else {
    const object = await quarantineRefused(taken, context)
    if (object !== null) await context.onQuarantined(object)
  }
  return refusedOutcome(error, named)
}

/** The outcome of what was refused. */
export function refusedOutcome(
  error: unknown,
  named: Pick<Named, 'sopClassUID' | 'sopInstanceUID'>,
): Extract<PartOutcome, { kind: 'refused' }> {
  const { sopClassUID, sopInstanceUID } = named
  return {
    kind: 'refused',
    code: error instanceof HilumError ? error.code : 'processing-failure',
    sentence: messageOf(error),
    failure: { reason: failureReasonOf(error), sopClassUID, sopInstanceUID },
  }
}
