import type { Knex } from 'knex'
import { clipped } from './index-header.ts'
import type { Sender } from './received.ts'

/** Remembers that an association was refused; the same caller, address and reason again only counts. */
export async function recordRefusedCaller(
  database: Knex,
  { sender, at, reason }: { sender: Sender; at: string; reason: string },
): Promise<void> {
  await database('refused_callers')
    .insert({
      calling_ae_title: clipped(sender.callingAETitle, 16),
      called_ae_title: clipped(sender.calledAETitle, 16),
      address: clipped(sender.address, 64),
      reason: clipped(reason, 255),
      times: 1,
      first_at: at,
      last_at: at,
    })
    .onConflict(['calling_ae_title', 'called_ae_title', 'address', 'reason'])
    .merge({ times: database.raw('refused_callers.times + 1'), last_at: at })
}
