import type { Knex } from 'knex'
import { evaluateRoutes, waitingRoutes } from '../route/evaluate-routes.ts'
import { routableStudy } from './routable-study.ts'
import { activeRoutes } from './routes.ts'

/**
 * The longest quiet time that a route asks for which matches the study as far as it has arrived.
 * @returns null where no matching route asks for one
 */
export async function quietTimeOfRoutes(
  database: Knex,
  studyId: number,
): Promise<{ seconds: number; because: string } | null> {
  const routes = (await activeRoutes(database)).routes.filter((route) => route.definition.assemble?.quiet !== undefined)
  if (routes.length === 0) return null
  const study = await routableStudy(database, studyId)
  const asked = evaluateRoutes(routes, study)
    .filter((decision) => decision.matched)
    .map(({ route }) => ({
      seconds: routes.find((r) => r.definition.name === route)?.definition.assemble?.quiet ?? 0,
      because: `route ${route}`,
    }))
    .sort((a, b) => b.seconds - a.seconds)
  return asked[0] ?? null
}

/**
 * The first route that would match the study, as far as it has arrived, but for one of several required inputs.
 * @returns a sentence, or null where no route waits
 */
export async function missingSeriesOfRoutes(database: Knex, studyId: number): Promise<string | null> {
  const routes = (await activeRoutes(database)).routes.filter(
    ({ definition }) => Object.values(definition.inputs).filter(({ required }) => required).length > 1,
  )
  if (routes.length === 0) return null
  const [waiting] = waitingRoutes(routes, await routableStudy(database, studyId))
  return waiting ? `route ${waiting.route} has no series for its input "${waiting.input}"` : null
}
