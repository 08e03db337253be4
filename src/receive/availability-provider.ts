import { randomUUID } from 'node:crypto'
import { SOP } from '../dicom/sop-class.ts'
import { deriveUID } from '../dicom/uid.ts'
import { commandField } from '../dimse/command-set.ts'
import type { ServiceProvider } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { expectAnswer } from './asking.ts'
import { senderOf } from './c-store.ts'
import type { Ask } from './questions.ts'
import { type KeptElements, readAttributes } from './request-attributes.ts'

/** PS3.3 C.4.23: one study, and which of its instances can be had. */
const kept: KeptElements = {
  '0020000D': true, // Study Instance UID
  // Referenced Series Sequence
  '00081115': {
    '0020000E': true,
    '00081199': { '00081155': true, '00080056': true }, // Referenced SOP Sequence: instance, Instance Availability
  },
}

/** Instance Availability Notification (PS3.4 R): N-CREATE. What is notified is kept by study; the notification itself is not an object. */
export function availabilityProvider({ ask }: { ask: Ask }): ServiceProvider {
  return {
    abstractSyntaxes: [SOP.instanceAvailabilityNotification],
    permission: 'store',
    commandFields: [commandField.nCreateRQ],
    async provide(request, responder) {
      const attributes = await readAttributes(request, kept)
      const answer = await ask({ about: 'availability', attributes, sender: senderOf(request.association) })
      expectAnswer(answer, 'done')
      const affectedSOPInstanceUID = request.command.sopInstanceUID ?? deriveUID('availability', randomUUID())
      await responder.respond({ status: dimseStatus.success, affectedSOPInstanceUID })
    },
  }
}
