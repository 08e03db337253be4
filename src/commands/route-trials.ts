import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { type ReplayResult, replayRoute } from '../flow/replay.ts'
import { definitionOf, sentenceOf } from '../flow/routes-api.ts'
import type { Decision } from '../route/evaluate-routes.ts'
import type { ExplainedRoute } from '../route/explain.ts'
import type { ExplainedCondition } from '../route/explain-condition.ts'
import { parseRouteDefinition, type RouteDefinition } from '../route/route-definition.ts'
import { print } from './arguments.ts'
import { withStarted } from './route-versions.ts'

/**
 * Replays a route over the studies of the last days.
 * @param tried the definition, or the name of a route and which form of it: a version, `active` or `draft`
 */
export async function replay(
  config: Config,
  tried: RouteDefinition | { name: string; which: string },
  { days, json }: { days: number; json: boolean },
): Promise<number> {
  return await withStarted(config, async (database) => {
    const raw = 'which' in tried ? await definitionOf(database, tried.name, tried.which) : tried
    const parsed = parseRouteDefinition({ ...raw, enabled: true })
    if (!parsed.ok) throw new HilumError('route-invalid', `the route is not valid: ${sentenceOf(parsed.problems)}`)
    const isSeen = process.stderr.isTTY
    const result = await replayRoute(
      database,
      { definition: parsed.definition, days, now: new Date().toISOString() },
      { onProgress: (done, total) => void (isSeen && process.stderr.write(`\r${done} of ${total} studies`)) },
    )
    if (isSeen) process.stderr.write('\r\u001b[K')
    print(json ? JSON.stringify(result, null, 2) : replayText(result))
    return 0
  })
}

function replayText(result: ReplayResult): string {
  const { studies, matched, activeVersion, activeMatched, gained, lost, otherSeries } = result
  const lines = [`would have matched ${matched} of ${studies} studies since ${result.from} (${result.ms} ms)`]
  if (result.truncated) lines.push('older studies were not looked at')
  if (activeVersion !== null)
    lines.push(
      `version ${activeVersion}, in force, matches ${activeMatched}: ${gained + lost + otherSeries} differ (${gained} gained, ${lost} lost, ${otherSeries} with other series)`,
    )
  for (const { studyInstanceUID, kind, before, after } of result.differences)
    lines.push(`  ${kind} ${studyInstanceUID}`, `      in force: ${before.reason}`, `      tried: ${after.reason}`)
  for (const { route, gained: more, lost: fewer } of result.otherRoutes)
    lines.push(`route ${route} would gain ${more} and lose ${fewer}`)
  return lines.join('\n')
}

/** What routes decided on a study, as lines. */
export function decisionText(studyInstanceUID: string, decisions: readonly Decision[]): string {
  const lines = [`study ${studyInstanceUID}`]
  for (const { route, matched, reason, because } of decisions) {
    lines.push(`  ${route}: ${matched ? 'matches' : 'does not match'}: ${reason}`)
    for (const [at, value] of Object.entries(because)) lines.push(`      ${at} = ${JSON.stringify(value)}`)
  }
  return lines.join('\n')
}

const signs = { true: '+', false: '-', 'not-decided': '?', error: '!' } as const

/** An explanation as lines: `+` holds, `-` does not, `?` misses a value, `!` failed. */
export function explanationText({ route, decision, when, inputs }: ExplainedRoute): string {
  const lines = [`  ${route}: ${decision.matched ? 'matches' : 'does not match'}: ${decision.reason}`]
  if (when) lines.push('    when', ...conditionLines(when, 6))
  for (const { name, sentence, prefer, series, omitted } of inputs) {
    lines.push(`    ${sentence || `input "${name}"`}`)
    if (prefer.length > 0) lines.push(`      prefers ${prefer.join(', ')}`)
    for (const one of series) {
      const preferences = one.preferences.map(({ preference, value }) => `${preference}: ${value ?? 'no value'}`)
      const place = one.place === null ? '' : one.place === 1 ? ' (taken)' : ` (place ${one.place})`
      const called = [one.seriesNumber, one.modality, one.seriesDescription, `${one.instances} instances`]
      lines.push(`      series ${one.seriesInstanceUID}${place}: ${called.filter((part) => part !== null).join(', ')}`)
      if (one.refers === false) lines.push('        does not refer to the other input')
      lines.push(...conditionLines(one.condition, 8), ...preferences.map((text) => `          ${text}`))
    }
    if (omitted > 0) lines.push(`      and ${omitted} series more`)
  }
  return lines.join('\n')
}

function conditionLines({ kind, text, verdict, values, error, members }: ExplainedCondition, indent: number): string[] {
  const space = ' '.repeat(indent)
  const read = values.map(({ path, value }) => `${path} = ${value === null ? 'no value' : JSON.stringify(value)}`)
  const told = [...read, ...(error === null ? [] : [error])].join(', ')
  const words = { and: 'all of', or: 'any of', not: 'not', term: text }[kind]
  return [
    `${space}${signs[verdict]} ${words}${told === '' ? '' : `   (${told})`}`,
    ...members.flatMap((member) => conditionLines(member, indent + 2)),
  ]
}
