import type { RouteDefinition } from './route-definition.ts'

/** Why a route was not asked: the route that stopped the evaluation, or the one that matched before a fallback. */
export type Unasked = { stoppedBy: string } | { matchedBefore: string }

/**
 * Goes through the routes in the order in which they are asked: as they stand, fallbacks last. A match of a shadow route is for
 * comparison: it keeps no fallback from being asked.
 * @param ask told why the route is not asked, else null; says whether it matched
 */
export function inTurn<Route extends { readonly definition: RouteDefinition }>(
  routes: readonly Route[],
  ask: (route: Route, unasked: Unasked | null) => boolean,
): void {
  let stoppedBy: string | null = null
  let matchedBefore: string | null = null
  const isFallback = ({ definition }: Route) => definition.fallback === true
  for (const route of [...routes.filter((one) => !isFallback(one)), ...routes.filter(isFallback)]) {
    const { name, enabled, shadow, stop } = route.definition
    const unasked: Unasked | null = !enabled
      ? null // that it is off says more
      : stoppedBy !== null
        ? { stoppedBy }
        : isFallback(route) && matchedBefore !== null
          ? { matchedBefore }
          : null
    const matched = ask(route, unasked)
    if (!matched || shadow) continue
    matchedBefore ??= name
    if (stop) stoppedBy ??= name
  }
}

/** One sentence. */
export function unaskedSentence(unasked: Unasked): string {
  return 'stoppedBy' in unasked
    ? `not asked: route ${unasked.stoppedBy} matched, and stops the routes after it`
    : `not asked: a fallback, and route ${unasked.matchedBefore} matched`
}
