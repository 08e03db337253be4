import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import knex from 'knex'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { NodeMetrics } from '../src/admin/metrics.ts'
import { loadConfig } from '../src/config.ts'
import { jsonSchemas } from '../src/config-json-schema.ts'
import { configSchema } from '../src/config-schema.ts'
import { settingsOf } from '../src/config-source.ts'
import { parseRouteDefinition } from '../src/route/route-definition.ts'
import { repository } from './support/data.ts'

const under = (folder: string) => readdirSync(path.join(repository, folder)).map((name) => path.join(folder, name))
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...under('docs').filter((name) => name.endsWith('.md')),
  ...under('models').map((folder) => path.join(folder, 'README.md')),
]
const textOf = (page: string) => readFileSync(path.join(repository, page), 'utf8')
const proseOf = (page: string) => textOf(page).replaceAll(/^```[\s\S]*?^```$/gm, '')

test('every operator guide that the README names is there', () => {
  for (const name of ['architecture', 'routes', 'pipelines', 'operations', 'api', 'limits'])
    expect(textOf('README.md')).toContain(`docs/${name}.md`)
})

test.each(pages)('every relative link of %s leads to a file, and to a heading where it names one', (page) => {
  const broken = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !isThere(page, target))
  expect(broken).toEqual([])
})

function isThere(page: string, target: string): boolean {
  const [file = '', heading] = target.split('#')
  const found = file === '' ? page : path.join(path.dirname(page), file)
  if (!existsSync(path.join(repository, found))) return false
  return heading === undefined || anchorsOf(found).includes(heading)
}

/** Anchors of headings, as code hosts make them. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test.each([...pages, 'config/hilum.yaml', 'Dockerfile'])('every HILUM_ variable of %s is a setting', (page) => {
  const known = settingsOf(configSchema({}))
  const meant = [...textOf(page).matchAll(/\bHILUM_[A-Z0-9_]*[A-Z0-9]/g)]
    .map(([name]) => name)
    // The configuration file's own variable, and an example of a mistake.
    .filter((name) => !['HILUM_CONFIG', 'HILUM_DIMSE_PRT'].includes(name))
  expect(meant.filter((name) => !known.has(name))).toEqual([])
})

test('operations.md names every metric of the node, and no other', async () => {
  const database = knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true })
  try {
    const metrics = new NodeMetrics({ knex: database, dataDir: repository })
    const own = metrics.registry.getMetricsAsArray().map(({ name }) => name)
    const documented = [...textOf('docs/operations.md').matchAll(/^\| `(hilum_\w+)` \|/gm)].map(([, name]) => name)
    expect(new Set(documented)).toEqual(new Set(own.filter((name) => name.startsWith('hilum_'))))
    for (const page of pages)
      for (const [name] of textOf(page).matchAll(/\bhilum_(?!session)[a-z_]+[a-z]/g)) expect(own).toContain(name)
  } finally {
    await database.destroy()
  }
})

test('every route of routes.md is a valid one', () => {
  const blocks = [...textOf('docs/routes.md').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
    ([, text = '']) => parse(text) as unknown,
  )
  const routes = blocks.flatMap((block) => (Array.isArray(block) ? block : (block as { routes: unknown[] }).routes))
  expect(routes.length).toBeGreaterThan(2)
  for (const route of routes) expect(parseRouteDefinition(route)).toMatchObject({ ok: true })
})

test('hilum.yaml shows every setting, with its default', () => {
  const text = textOf('config/hilum.yaml')
  // Without the # of the settings that are shown; lines of prose keep theirs.
  const shown = text.replaceAll(/^# ?(?=(?: {2})*(?:[a-z][A-Za-z]*:(?: |$)|- [a-z][A-Za-z]*: ))/gm, '')
  const defaults = loadConfig({ file: null, env: {} })
  const examples = ['remotes', 'destinations', 'routes', 'retention']
  const sizes: Record<string, string> = { warnFree: '5 GiB', minimumFree: '1 GiB', emergencyFree: '256 MiB' }
  const found = parse(shown) as Record<string, unknown>
  for (const { path: at } of settingsOf(configSchema({})).values()) {
    const name = at.join('.')
    if (lookUp(defaults, at) === undefined) {
      // What is not there by default is shown as an example.
      expect(text).toMatch(new RegExp(`^## .*\\b${at.at(-1)}: `, 'm'))
      continue
    }
    expect(lookUp(found, at), name).toBeDefined()
    if (examples.includes(name) || ['dataDir', 'pipelines.folder'].includes(name)) continue
    const expected = name.startsWith('receive.') ? (sizes[at[1] ?? ''] ?? lookUp(defaults, at)) : lookUp(defaults, at)
    expect(lookUp(found, at), name).toEqual(expected)
  }
})

function lookUp(tree: unknown, at: readonly string[]): unknown {
  return at.reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], tree)
}

test.each(Object.entries(jsonSchemas()))('config/%s is what the code generates', (name, text) => {
  expect(textOf(path.join('config', name))).toBe(text)
})
