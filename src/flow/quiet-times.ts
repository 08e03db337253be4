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
  const { routes } = await activeRoutes(database)
  if (routes.every(({ definition }) => definition.assemble?.quiet === undefined)) return null
  const study = await routableStudy(database, studyId)
  const asked = evaluateRoutes(routes, study)
    .flatMap(({ matched, route }) => {
      const seconds = routes.find((r) => r.definition.name === route)?.definition.assemble?.quiet
      return matched && seconds !== undefined ? [{ seconds, because: `route ${route}` }] : []
    })
    .sort((a, b) => b.seconds - a.seconds)
  return asked[0] ?? null
}

/**
 * The first route that would match the study, as far as it has arrived, but for one of several required inputs.
 * @returns a sentence, or null where no route waits
 */
export async function missingSeriesOfRoutes(database: Knex, studyId: number): Promise<string | null> {
  const { routes } = await activeRoutes(database)
  const several = routes.some(
    ({ definition }) => Object.values(definition.inputs).filter(({ required }) => required).length > 1,
  )
  if (!several) return null
  const [waiting] = waitingRoutes(routes, await routableStudy(database, studyId))
  return waiting ? `route ${waiting.route} has no series for its input "${waiting.input}"` : null
}
