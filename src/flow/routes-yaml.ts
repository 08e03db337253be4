import { type Document, isMap, isSeq, LineCounter, parseDocument, stringify } from 'yaml'
import { parseRouteDefinition, type RouteDefinition, type RouteProblem } from '../route/route-definition.ts'

/** One thing wrong with a file of routes. */
export interface YamlProblem extends RouteProblem {
  /** Its name where it has one, else `route 2`. Empty: the whole file. */
  route: string
  /** Of the file, from 1. */
  line: number
  column: number
}

/** The routes of a YAML text: one route, a list, or a list below `routes:`; with every problem of each. */
export function readRoutesYaml(text: string): { definitions: RouteDefinition[]; problems: YamlProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  if (document.errors.length > 0)
    return {
      definitions: [],
      problems: document.errors.map(({ message, pos }) => ({
        route: '',
        path: '',
        expectation: message.split('\n')[0] ?? message,
        ...place(pos[0]),
      })),
    }
  const root = pathToRoutes(document)
  const tree: unknown = document.toJS()
  const inner = root.length === 0 ? tree : (tree as { routes: unknown }).routes
  const several = Array.isArray(inner)
  const definitions: RouteDefinition[] = []
  const problems: YamlProblem[] = []
  const names = new Set<string>()
  for (const [i, raw] of (several ? inner : [inner]).entries()) {
    const at = (path: string) => place(offsetOf(document, [...root, ...(several ? [i] : []), ...keysOf(path)]))
    const parsed = parseRouteDefinition(raw)
    const route = nameOf(raw) ?? `route ${i + 1}`
    if (parsed.ok && names.has(route))
      problems.push({ route, path: 'name', expectation: `there are two routes called "${route}"`, ...at('name') })
    else if (parsed.ok) definitions.push(parsed.definition)
    else for (const { path, expectation } of parsed.problems) problems.push({ route, path, expectation, ...at(path) })
    names.add(route)
  }
  return { definitions, problems }
}

/** What `readRoutesYaml` reads again. */
export function writeRoutesYaml(definitions: readonly object[]): string {
  return stringify({ routes: definitions }, { lineWidth: 0 })
}

function pathToRoutes({ contents }: Document): string[] {
  return isMap(contents) && contents.has('routes') ? ['routes'] : []
}

function keysOf(path: string): (string | number)[] {
  return path === '' ? [] : path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key))
}

/** Where the value at a path begins, or, where it is not there, the nearest that is around it. */
function offsetOf(document: Document, keys: readonly (string | number)[]): number {
  for (let length = keys.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true)
    const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range
    if (range) return range[0]
    if (isSeq(node)) break
  }
  return 0
}

function nameOf(raw: unknown): string | null {
  const name = typeof raw === 'object' && raw !== null && 'name' in raw ? raw.name : null
  return typeof name === 'string' && name !== '' ? name : null
}
