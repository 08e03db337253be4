import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline as piped } from 'node:stream/promises'
import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { allFeedback, type FeedbackFilter } from '../store/feedback.ts'
import { type FeedbackFormat, feedbackText } from '../store/feedback-export.ts'
import { print } from './arguments.ts'
import { withDatabase } from './with-database.ts'

/**
 * Writes what people said of results to a file that is not there yet, or to standard output; returns the exit code.
 * @throws HilumError `not-written`
 */
export async function exportFeedback(
  config: Config,
  { format, out, ...filter }: { format: FeedbackFormat; out?: string | undefined } & FeedbackFilter,
): Promise<number> {
  return withDatabase(config, async (database) => {
    const text = feedbackText(database ? allFeedback(database, filter) : none(), format)
    if (out === undefined) for await (const part of text) process.stdout.write(part)
    else {
      const file = createWriteStream(out, { flags: 'wx', mode: 0o600 })
      await piped(Readable.from(text), file).catch((error: NodeJS.ErrnoException) => {
        const why = error.code === 'EEXIST' ? 'is there already, and nothing is overwritten' : 'cannot be written'
        throw new HilumError('not-written', `${out} ${why} (${error.code}): name another file with --out`)
      })
      print(out)
    }
    return 0
  })
}

async function* none(): AsyncGenerator<never> {}
