import type { Log } from '../../src/log.ts'

/** A log that keeps its sentences. */
export function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const line = (sentence: string): void => void lines.push(sentence)
  const log: Log = { debug: () => undefined, info: line, warn: line, error: line, child: () => log }
  return { log, lines }
}
