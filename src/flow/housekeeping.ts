import type { Knex } from 'knex'
import { type ScheduledTask, schedule } from 'node-cron'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Hints } from './hints.ts'

/** Once a night: sessions that have expired, and what was said of studies that never came, are forgotten. */
export function scheduleHousekeeping(database: Knex, hints: Hints, log: Log): ScheduledTask {
  return schedule('17 3 * * *', async () => {
    try {
      const sessions = await database('sessions').where('expires_at', '<=', new Date().toISOString()).delete()
      log.info('housekeeping done', { sessions, hints: await hints.expire() })
    } catch (error) {
      log.error('housekeeping cannot be done now', { reason: messageOf(error) })
    }
  })
}
