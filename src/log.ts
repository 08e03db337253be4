import winston from 'winston'

/** Values that may stand in a log line: UIDs, numbers, codes, times. Never text that came from a patient's record. */
export type LogContext = Readonly<Record<string, string | number | boolean | null | undefined>>

/** A constant sentence and a structured context; the context never holds patient data (design, invariant 7). */
export interface Log {
  debug(sentence: string, context?: LogContext): void
  info(sentence: string, context?: LogContext): void
  warn(sentence: string, context?: LogContext): void
  error(sentence: string, context?: LogContext): void
  /** The same log with values that every line of it carries. */
  child(context: LogContext): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * JSON lines on standard error (standard output belongs to the commands' own answers).
 * @param level the least severe level that is written; `silent` writes nothing
 */
export function createLog(level: LogLevel): Log {
  const logger = winston.createLogger({
    level: level === 'silent' ? 'error' : level,
    silent: level === 'silent',
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream: process.stderr })],
  })
  return wrap(logger)
}

function wrap(logger: winston.Logger): Log {
  return {
    debug: (sentence, context) => void logger.debug(sentence, context),
    info: (sentence, context) => void logger.info(sentence, context),
    warn: (sentence, context) => void logger.warn(sentence, context),
    error: (sentence, context) => void logger.error(sentence, context),
    child: (context) => wrap(logger.child(context)),
  }
}

/** A log that writes nothing, for tests. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
