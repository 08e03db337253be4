import type { Knex } from 'knex'
import type { RouteTrialsDeps, TriedRoute } from '../admin/api-route-trials.ts'
import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { DicomError } from '../dicom/error.ts'
import { readInstanceStream } from '../dicom/instance-file.ts'
import { seriesColumns, studyColumns } from '../receive/index-header.ts'
import { calendarSchema, offPeakAt } from '../route/calendar.ts'
import { dayOf } from '../route/dates.ts'
import { type ActiveRoute, evaluateRoutes } from '../route/evaluate-routes.ts'
import { explainRoutes } from '../route/explain.ts'
import { parseRouteDefinition, type RouteDefinition } from '../route/route-definition.ts'
import type { RoutableStudy } from '../route/study-facts.ts'
import { RouteError } from '../store/route-error.ts'
import { earlierStudies } from './earlier-studies.ts'
import { calendarInForce, changeCalendar } from './off-peak.ts'
import type { Replays } from './replays.ts'
import { routableStudy } from './routable-study.ts'
import { RouteVocabulary } from './route-vocabulary.ts'
import { activeRoutes } from './routes.ts'
import { definitionOf, sentenceOf } from './routes-api.ts'

export interface RouteTrialsParts {
  database: Knex
  replays: Pick<Replays, 'start' | 'get' | 'cancel'>
  /** Called when queued jobs may begin at another time. */
  poke: () => void
}

type Trials = RouteTrialsDeps['routeTrials']

/** Routes are explained for nobody who did not ask, beyond so many. */
const mostExplained = 50

/** Tests and replays of routes, as the API offers them. */
export function routeTrials({ database, replays, poke }: RouteTrialsParts): Trials {
  const vocabulary = new RouteVocabulary(database)
  const test = async (
    study: RoutableStudy,
    earlier: readonly RoutableStudy[],
    { tried, explain }: Parameters<Trials['test']>[1],
  ): ReturnType<Trials['test']> => {
    const definition = await triedDefinition(database, tried)
    const { routes: active } = await activeRoutes(database)
    const routes = definition ? withTried(active, definition) : active
    const asked = explain ?? (definition ? [definition.name] : routes.slice(0, mostExplained).map(nameOf))
    return {
      studyInstanceUID: study.studyInstanceUID,
      earlierStudies: earlier.length,
      decisions: evaluateRoutes(routes, study, earlier),
      explanations: explainRoutes(routes, study, { earlier, names: new Set(asked) }),
    }
  }
  return {
    test: async (studyInstanceUID, options) => {
      const known = await database('studies').where({ study_instance_uid: studyInstanceUID }).first('id')
      if (!known) throw new RouteError('study-unknown', 'no such study is known here')
      return await test(await routableStudy(database, known.id), await earlierStudies(database, known.id), options)
    },
    testFile: async (stream, options) => {
      const { elements } = await readInstanceStream(stream)
      return await test(studyOfInstance(elements), [], options)
    },
    replay: async (tried, days, actor) => {
      const definition = await triedDefinition(database, tried)
      if (!definition) throw new RouteError('route-unknown', 'name a route, or give a definition')
      return replays.start({ definition, days, now: new Date().toISOString() }, actor)
    },
    replayed: (id) => replays.get(id),
    cancelReplay: (id) => replays.cancel(id),
    vocabulary: (query) => vocabulary.find(query),
    calendar: async () => await calendarInForce(database),
    setCalendar: async (changed, actor) => {
      const parsed = calendarSchema.safeParse(changed)
      if (!parsed.success) {
        const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
        throw new RouteError('route-invalid', `the calendar is not valid: ${problems.join('; ')}`)
      }
      await changeCalendar(database, parsed.data, { at: new Date().toISOString(), actor })
      poke()
    },
    offPeak: async (at) => offPeakAt((await calendarInForce(database)).calendar, at),
  }
}

/** The definition that is to be tried; null where nothing is named, and the routes in force are meant. */
async function triedDefinition(database: Knex, tried: TriedRoute): Promise<RouteDefinition | null> {
  const { definition, route, version } = tried
  if (definition === undefined && route === undefined) return null
  const raw =
    definition ?? (await definitionOf(database, route ?? '', version === undefined ? 'draft' : String(version)))
  // One that is off is tried as if it were on: that it is off is known.
  const parsed = parseRouteDefinition({ ...raw, enabled: true })
  if (parsed.ok) return parsed.definition
  throw new RouteError('route-invalid', `the route is not valid: ${sentenceOf(parsed.problems)}`)
}

/** The routes in force, and a definition in the place of the one of its name, or after them. */
function withTried(active: readonly ActiveRoute[], definition: RouteDefinition): ActiveRoute[] {
  const tried: ActiveRoute = { version: 0, definition }
  const place = active.findIndex((route) => nameOf(route) === definition.name)
  return place < 0 ? [...active, tried] : active.with(place, tried)
}

function nameOf({ definition }: ActiveRoute): string {
  return definition.name
}

/** One instance as the study that it would be, had it come alone. */
function studyOfInstance(elements: DicomJson): RoutableStudy {
  const studyInstanceUID = textOf(elements, 'StudyInstanceUID')
  const seriesInstanceUID = textOf(elements, 'SeriesInstanceUID')
  if (studyInstanceUID === null || seriesInstanceUID === null)
    throw new DicomError('unreadable', 'Study Instance UID or Series Instance UID is missing')
  const header = JSON.parse(seriesColumns(elements).header) as DicomJson
  return {
    studyInstanceUID,
    header: JSON.parse(studyColumns(elements).header) as DicomJson,
    series: [{ seriesInstanceUID, header, instances: 1 }],
    today: dayOf(new Date()),
  }
}
