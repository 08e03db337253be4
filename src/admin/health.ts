import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { messageOf } from '../errors.ts'
import { isAtLeast, type SpaceReading } from '../store/free-space.ts'

export interface CheckResult {
  ok: boolean
  /** True: it works, and somebody should look at it before it does not. */
  degraded?: boolean
  /** What was found, for a person; nothing secret, because anybody may ask. */
  sentence: string
}

export type Check = () => Promise<CheckResult> | CheckResult

const checkLimitMs = 5_000

/** The database answers. */
export function databaseCheck(knex: Knex): Check {
  return async () => {
    const begun = performance.now()
    await knex.raw('select 1')
    return { ok: true, sentence: `answers within ${Math.ceil(performance.now() - begun)} ms` }
  }
}

/** There is room for what comes next: below the first mark the node is degraded, below the second it is not ready. */
export function spaceCheck(space: { read(): SpaceReading }): Check {
  return () => {
    const { state, free, warnFree, minimumFree } = space.read()
    const marks = `a warning is given below ${binaryUnits(warnFree)}, instances are refused below ${binaryUnits(minimumFree)}`
    const ok = !isAtLeast(state, 'refuse')
    return {
      ok,
      ...(state === 'warn' && { degraded: true }),
      sentence: `${state}: ${binaryUnits(free)} free; ${marks}`,
    }
  }
}

/** A listener accepts connections. @param port the port that it listens on now, or null */
export function listenerCheck(port: () => number | null): Check {
  return () => {
    const now = port()
    return now === null ? { ok: false, sentence: 'not listening' } : { ok: true, sentence: `listening on port ${now}` }
  }
}

/** `/healthz`: the process lives, and its event loop turns. Says nothing of what it depends on, which a restart would not mend. */
export const healthz: RequestHandler = (_req, res) => {
  res.setHeader('Cache-Control', 'no-store')
  res.json({ ok: true })
}

/** `/readyz`: every check with its answer; 503 while one of them fails, 200 with `degraded` where one of them gives a warning. A check that does not end within 5 s has failed. */
export function readyz(checks: Readonly<Record<string, Check>>): RequestHandler {
  return async (_req, res) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await run(check)] as const),
    )
    const ok = results.every(([, result]) => result.ok)
    const degraded = results.some(([, result]) => !result.ok || result.degraded === true)
    res.setHeader('Cache-Control', 'no-store')
    res.status(ok ? 200 : 503).json({ ok, degraded, checks: Object.fromEntries(results) })
  }
}

async function run(check: Check): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(
      () => resolve({ ok: false, sentence: `no answer within ${checkLimitMs / 1000} s` }),
      checkLimitMs,
    )
  })
  try {
    return await Promise.race([Promise.resolve().then(check), late])
  } catch (error) {
    return { ok: false, sentence: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

function binaryUnits(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
