import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import knex from 'knex'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { NodeMetrics } from '../src/admin/metrics.ts'
import { permissionNames } from '../src/admin/permissions.ts'
import { type ConfigInput, loadConfig } from '../src/config.ts'
import { jsonSchemas } from '../src/config-json-schema.ts'
import { configSchema } from '../src/config-schema.ts'
import { settingsOf } from '../src/config-source.ts'
import { implementationVersionName } from '../src/dicom/uid.ts'
import { parseRouteDefinition } from '../src/route/route-definition.ts'
import { FreeSpace } from '../src/store/free-space.ts'
import { bootstrapToken, RunningApp } from './admin/running-app.ts'
import { TestAuthority } from './dimse/certificates.ts'
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
  const guides = [
    'architecture',
    'routes',
    'pipelines',
    'governance',
    'receiving',
    'operations',
    'api',
    'limits',
    'development',
  ]
  for (const name of [...guides, 'conformance', 'interoperability'])
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
    // The configuration file's own variable, an example of a mistake, and what only tests read.
    .filter(
      (name) =>
        !['HILUM_CONFIG', 'HILUM_DIMSE_PRT', implementationVersionName].includes(name) &&
        !name.startsWith('HILUM_FUZZ_'),
    )
  expect(meant.filter((name) => !known.has(name))).toEqual([])
})

test('operations.md names every metric of the node, and no other', async () => {
  const database = knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true })
  try {
    const space = new FreeSpace({ folder: repository, marks: { warnFree: 3, minimumFree: 2, emergencyFree: 1 } })
    const remotes = { list: () => [], counters: { traffic: () => Promise.reject(new Error('not asked')) } }
    const metrics = new NodeMetrics({ knex: database, dataDir: repository, space, remotes })
    const own = metrics.registry.getMetricsAsArray().map(({ name }) => name)
    const documented = [...textOf('docs/operations.md').matchAll(/^\| `(hilum_\w+)` \|/gm)].map(([, name]) => name)
    expect(new Set(documented)).toEqual(new Set(own.filter((name) => name.startsWith('hilum_'))))
    for (const page of pages)
      for (const [name] of textOf(page).matchAll(/\bhilum_(?!session)[a-z_]+[a-z]/g)) expect(own).toContain(name)
  } finally {
    await database.destroy()
  }
})

test('api.md names every address of the API, and no other', async () => {
  const app = await new RunningApp().start()
  try {
    const answer = await fetch(`${app.url}/api/openapi.json`, {
      headers: { authorization: `Bearer ${bootstrapToken}` },
    })
    const { paths } = (await answer.json()) as { paths: Record<string, Record<string, unknown>> }
    const known = Object.entries(paths).flatMap(([where, methods]) =>
      Object.keys(methods).map((method) => nameless(`${method.toUpperCase()} ${where}`)),
    )
    // The rows of its table; a row may name several.
    const rows = textOf('docs/api.md').match(/^\| `(?:GET|POST|PUT|DELETE) \/api\/[^|]*\|/gm) ?? []
    const named = rows.flatMap((row) =>
      [...row.matchAll(/`([A-Z]+ \/api\/[^`?]*)/g)].map(([, address = '']) => nameless(address)),
    )
    expect(named.sort()).toEqual(known.sort())
    for (const page of pages)
      for (const [, method = '', where = ''] of textOf(page).matchAll(/`(GET|POST|PUT|DELETE) (\/api\/[^`?\s]*)/g))
        if (where !== '/api/openapi.json') expect(known, page).toContain(nameless(`${method} ${where}`))
  } finally {
    await app.stop()
  }
})

/** An address without the names of its parameters. */
const nameless = (address: string): string => address.replaceAll(/\{\w+\}/g, '{}')

/** Usage, and everything else, of each command. */
const commands = new Map(
  [...textOf('src/main.ts').matchAll(/^ {2}(\w+): \{$|^ {2}(\w+): \{ summary/gm)].map(([, one, other]) => {
    const name = one ?? other ?? ''
    return [name, textOf(`src/commands/${name}.ts`)]
  }),
)

test.each(pages)('every command of %s exists, with its options', (page) => {
  expect(commands.size).toBeGreaterThan(10)
  const spoken = [...textOf(page).matchAll(/(?:\bnpx |`|^\$ )hilum ([a-z]+)((?: [^`|#\n]*)?)/gm)]
  for (const [said, name = '', rest = ''] of spoken) {
    if (['COMMAND', 'ready', 'backup'].includes(name)) continue
    const source = commands.get(name)
    expect(source, said).toBeDefined()
    for (const [, option] of rest.matchAll(/ --([a-z-]+)/g)) expect(source, said).toContain(`--${option}`)
    const [what] = /^[a-z]+/.exec(rest.trim()) ?? []
    if (['remote', 'quarantine', 'retention', 'route', 'pipeline'].includes(name) && what)
      expect(source, said).toMatch(new RegExp(`hilum ${name} (?:[a-z]+\\|)*${what}`))
  }
})

test.each(pages)('every setting that %s names exists', (page) => {
  const paths = [...settingsOf(configSchema({})).values()].map(({ path: at }) => at.join('.'))
  const sections = [...new Set(paths.map((name) => name.split('.')[0]))].join('|')
  for (const [, name = ''] of proseOf(page).matchAll(new RegExp(`\`((?:${sections})\\.[A-Za-z.]+)\``, 'g'))) {
    if (/\.(?:ts|mjs|md|yaml|json|css|quiet\.\w+)$/.test(name) || permissionNames.some((known) => known === name))
      continue
    expect(
      paths.some((known) => known === name || known.startsWith(`${name}.`)),
      name,
    ).toBe(true)
  }
})

test('every example of configuration in receiving.md is valid', ({ onTestFinished }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-docs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const authority = new TestAuthority(folder)
  const files = { ...authority.issue('node'), ca: authority.ca }
  const blocks = yamlOf('docs/receiving.md') as ConfigInput[]
  expect(blocks.length).toBeGreaterThan(4)
  for (const block of blocks) {
    const { tls } = block.dimse ?? {}
    // Certificates are files, which have to be there.
    if (tls) Object.assign(tls, files)
    const around: ConfigInput = {
      destinations: { pacs: { kind: 'stow-rs', url: 'https://pacs.example/dicom-web' } },
      remotes: [{ aeTitle: 'PACS', host: '10.0.0.9' }],
    }
    expect(() => loadConfig({ file: null, env: {}, overrides: { ...around, ...block } })).not.toThrow()
  }
})

function yamlOf(page: string): unknown[] {
  return [...textOf(page).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => parse(text) as unknown)
}

test('every route of routes.md and governance.md is a valid one', () => {
  const blocks = [...yamlOf('docs/routes.md'), ...yamlOf('docs/governance.md')]
  // A list of routes, the section of the configuration, or one route.
  const routes = blocks.flatMap((block) =>
    Array.isArray(block) ? block : ((block as { routes?: unknown[] }).routes ?? [block]),
  )
  expect(routes.length).toBeGreaterThan(2)
  for (const route of routes) expect([route, parseRouteDefinition(route)]).toMatchObject([{}, { ok: true }])
})

test('hilum.yaml shows every setting, with its default', () => {
  const text = textOf('config/hilum.yaml')
  // Without the # of the settings that are shown; lines of prose keep theirs.
  const shown = text.replaceAll(/^# ?(?=(?: {2})*(?:[a-z][A-Za-z]*:(?: |$)|- [a-z][A-Za-z]*: ))/gm, '')
  const defaults = loadConfig({ file: null, env: {} })
  const examples = ['remotes', 'destinations', 'routes', 'retention']
  const sizes: Record<string, string> = {
    'receive.warnFree': '5 GiB',
    'receive.minimumFree': '1 GiB',
    'receive.emergencyFree': '256 MiB',
    'page.thumbnails': '200 MiB',
    'page.uploads': '4 GiB',
  }
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
    expect(lookUp(found, at), name).toEqual(sizes[name] ?? lookUp(defaults, at))
  }
})

function lookUp(tree: unknown, at: readonly string[]): unknown {
  return at.reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], tree)
}

test.each(Object.entries(jsonSchemas()))('config/%s is what the code generates', (name, text) => {
  expect(textOf(path.join('config', name))).toBe(text)
})
