import { randomUUID } from 'node:crypto'
import { SOP } from '../dicom/sop-class.ts'
import { deriveUID, isUID } from '../dicom/uid.ts'
import { commandField } from '../dimse/command-set.ts'
import type { Responder, ServiceProvider, ServiceRequest } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { expectAnswer } from './asking.ts'
import { senderOf } from './c-store.ts'
import type { Ask } from './questions.ts'
import { type KeptElements, readAttributes } from './request-attributes.ts'

/** What completeness is told by (PS3.3 C.4.13 to C.4.15); nothing of it names a patient. */
const kept: KeptElements = {
  '00400244': true, // Performed Procedure Step Start Date
  '00400245': true, // Performed Procedure Step Start Time
  '00400252': true, // Performed Procedure Step Status
  '00400270': { '0020000D': true }, // Scheduled Step Attributes Sequence: Study Instance UID
  // Performed Series Sequence
  '00400340': {
    '0020000E': true,
    '00081140': { '00081155': true }, // Referenced Image Sequence
    '00400220': { '00081155': true }, // Referenced Non-Image Composite SOP Instance Sequence
  },
}

/**
 * Modality Performed Procedure Step (PS3.4 F.7): N-CREATE and N-SET. The node keeps the steps; its answer is the response. A creator
 * that leaves the SOP Instance UID to us gets one.
 */
export function mppsProvider({ ask }: { ask: Ask }): ServiceProvider {
  return {
    abstractSyntaxes: [SOP.modalityPerformedProcedureStep],
    permission: 'store',
    commandFields: [commandField.nCreateRQ, commandField.nSetRQ],
    provide: (request, responder) => keepStep(request, responder, ask),
  }
}

async function keepStep(request: ServiceRequest, responder: Responder, ask: Ask): Promise<void> {
  const creates = request.command.commandField === commandField.nCreateRQ
  const given = request.command.sopInstanceUID
  const sopInstanceUID = given ?? (creates ? deriveUID('performed procedure step', randomUUID()) : '')
  if (!isUID(sopInstanceUID))
    return await responder.respond({
      status: dimseStatus.invalidObjectInstance,
      comment: 'the SOP Instance UID is no UID',
    })
  const answer = await ask({
    about: creates ? 'mpps-create' : 'mpps-set',
    sopInstanceUID,
    attributes: await readAttributes(request, kept),
    sender: senderOf(request.association),
  })
  expectAnswer(answer, 'done')
  await responder.respond({ status: dimseStatus.success, affectedSOPInstanceUID: sopInstanceUID })
}
