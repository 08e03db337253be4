import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ConfigInput, loadConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { jsonSchemas } from '../src/config-json-schema.ts'
import { TestAuthority } from './dimse/certificates.ts'
import { repository } from './support/data.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(text: string): string {
  const file = path.join(folder, `${Math.random().toString(36).slice(2)}.yaml`)
  writeFileSync(file, text)
  return file
}

function problemsOf(text: string, env: Record<string, string> = {}): ConfigError {
  try {
    loadConfig({ file: fileOf(text), env })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('the configuration', () => {
  it('has the documented defaults without file and environment', () => {
    const config = loadConfig({ file: null, env: {} })
    expect(config.aeTitle).toBe('HILUM')
    expect(config.dataDir).toBe(path.resolve('data'))
    expect(config.dimse).toMatchObject({
      host: '0.0.0.0',
      port: 11112,
      maxPduLength: 262144,
      unknownCallers: 'loopback',
    })
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080, trustProxy: [] })
    expect(config.roles).toEqual(['receive', 'work', 'serve'])
    expect(config.assemble).toEqual({ quiet: 20, release: 5, longest: 300, expect: [] })
    expect(config.receive).toEqual({
      sync: true,
      warnFree: 5 * 2 ** 30,
      minimumFree: 2 ** 30,
      emergencyFree: 2 ** 28,
      folders: [],
    })
    expect(config.infer).toEqual({
      slots: 1,
      threads: 0,
      deadline: 900,
      providers: ['cpu'],
      memoryLimit: 0,
      servers: {},
    })
    expect(config.destinations).toEqual({ self: { kind: 'self' } })
    expect(config.admin.token).toBe('')
  })

  it('takes addresses and blocks of them for remotes, and no host names: nothing resolves them', () => {
    const text = (address: string) => `remotes:\n  - { aeTitle: CT1, addresses: ["${address}"] }\n`
    for (const address of ['10.0.0.5', '10.0.0.0/8', '2001:db8::/32'])
      expect(loadConfig({ file: fileOf(text(address)), env: {} }).remotes[0]?.addresses).toEqual([address])
    for (const address of ['ct1.example', '10.0.0.0/33', '10.0.0', '10.0.0.0/8/9'])
      expect(problemsOf(text(address)).problems[0]).toMatchObject({ path: 'remotes.0.addresses.0' })
  })

  it('keeps the marks of free space in their order, whichever is set', () => {
    const { receive } = loadConfig({ file: fileOf('receive: { minimumFree: 10 GiB }\n'), env: {} })
    expect(receive).toMatchObject({ warnFree: 10 * 2 ** 30, minimumFree: 10 * 2 ** 30, emergencyFree: 2 ** 28 })
    expect(loadConfig({ file: null, env: { HILUM_RECEIVE_MINIMUMFREE: '1 KiB' } }).receive.emergencyFree).toBe(1024)
  })

  it('finds settings that do not fit together, whatever else is wrong', () => {
    const error = problemsOf(`
dataDir: ${folder}/data
http: { port: eighty }
dimse:
  tls: { port: 0, certificate: ${path.join(repository, 'package.json')}, key: ${path.join(repository, 'package.json')} }
  userIdentity: { check: authoriser }
receive:
  folders: [{ path: ${folder}/data/in }, { path: ${folder}/a }, { path: ${folder}/a/b }, { path: ${folder}/ab }]
remotes:
  - { aeTitle: PACS }
assemble:
  expect: [{ kind: qido-rs, destination: pacs }, { kind: c-find, remote: PACS }]
retention:
  - { name: old, olderThanDays: 180, storedAt: [self] }
  - { name: old, olderThanDays: 180, schedule: every day }
`)
    expect(error.problems.map((problem) => problem.path)).toEqual([
      'http.port',
      'dimse.tls.certificate',
      'dimse.tls.key',
      'dimse.tls.ca',
      'dimse.userIdentity.authoriser',
      'receive.folders.0.path',
      'receive.folders.2.path',
      'assemble.expect.0.destination',
      'assemble.expect.1.remote',
      'retention.0.storedAt.0',
      'retention.1.name',
      'retention.1.schedule',
      'retention.1.storedAt',
    ])
    const sentences = new Map(error.problems.map(({ path: at, expectation }) => [at, expectation]))
    expect(sentences.get('receive.folders.2.path')).toContain('apart from receive.folders.1')
    expect(sentences.get('dimse.tls.key')).toBe('expected a private key in PEM, without a passphrase')
  })

  it('finds a key that is not that of its certificate, and a file that is not there', () => {
    const authority = new TestAuthority(folder)
    const { certificate, key } = authority.issue('node')
    const { key: otherKey } = authority.issue('other')
    const text = (of: string) => `dimse: { tls: { certificate: ${certificate}, key: ${of}, clientCertificate: none } }`
    expect(loadConfig({ file: fileOf(text(key)), env: {} }).dimse.tls?.key).toBe(key)
    expect(problemsOf(text(otherKey)).problems).toMatchObject([
      { path: 'dimse.tls.key', line: 1, expectation: 'expected the private key of the certificate in certificate' },
    ])
    expect(problemsOf(text(`${folder}/none.pem`)).problems).toMatchObject([
      { path: 'dimse.tls.key', expectation: 'expected a file that can be read (ENOENT: no such file or directory)' },
    ])
  })

  it('is frozen to its leaves', () => {
    const config = loadConfig({ file: path.join(repository, 'config/hilum.yaml'), env: {} })
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(config)).toBe(true)
    expect(() => Object.assign(config.dimse, { port: 1 })).toThrow(TypeError)
  })

  it('comes with a default file that is all defaults but for the route', () => {
    const { routes, ...config } = loadConfig({ file: path.join(repository, 'config/hilum.yaml'), env: {} })
    const { routes: none, ...defaults } = loadConfig({ file: null, env: {} })
    expect(none).toEqual([])
    expect(config).toEqual(defaults)
    expect(routes.map((route) => [route.name, route.pipeline, route.destinations])).toEqual([
      ['lung-density', 'ct-lung-density', ['self']],
    ])
  })

  it('has a default file whose commented lines are the defaults', () => {
    const text = readFileSync(path.join(repository, 'config/hilum.yaml'), 'utf8')
    const settings = text
      .split('\n')
      .map((line) => (/^# ( *[a-z][A-Za-z]*:( |$)|  +(-|[a-zA-Z-]+:)|  +#)/.test(line) ? line.slice(2) : line))
      .join('\n')
      .replace(/^(remotes|retention):\n( .*\n)+/gm, '')
      .replace(/^ {2}pacs:\n( .*\n)+/m, '')
    const uncommented = loadConfig({ file: fileOf(settings), env: {} })
    const { routes, ...defaults } = loadConfig({ file: path.join(repository, 'config/hilum.yaml'), env: {} })
    expect(settings).toContain('\n  maxPduLength: 262144')
    expect(uncommented).toEqual({ ...defaults, routes })
  })

  it('takes every scalar and list from the environment, over the file', () => {
    const config = loadConfig({
      file: fileOf('aeTitle: FILE\ndimse: { port: 104 }\n'),
      env: {
        HILUM_AETITLE: 'ENVIRONMENT',
        HILUM_DIMSE_PORT: '0',
        HILUM_DIMSE_ACCEPTANYCALLEDAETITLE: 'true',
        HILUM_RECEIVE_SYNC: 'no',
        HILUM_RECEIVE_MINIMUMFREE: '1048576',
        HILUM_INFER_MEMORYLIMIT: '1.5 GiB',
        HILUM_INFER_PROVIDERS: 'cuda, cpu',
        HILUM_ROLES: 'receive,serve',
        HILUM_ASSEMBLE_QUIET: '0.5',
        HILUM_ASSEMBLE_RELEASE: '',
        HILUM_DATABASE_URL: 'postgres://hilum@db/hilum',
        HILUM_ADMIN_TOKEN: 'bootstrap',
        HILUM_DESTINATIONS: '{"pacs": {"kind": "stow-rs", "url": "http://pacs/dicom-web"}}',
        PATH: '/bin',
      },
    })
    expect(config.aeTitle).toBe('ENVIRONMENT')
    expect(config.dimse).toMatchObject({ port: 0, acceptAnyCalledAETitle: true })
    expect(config.receive).toMatchObject({ sync: false, minimumFree: 1048576 })
    expect(config.infer).toMatchObject({ memoryLimit: 1.5 * 2 ** 30, providers: ['cuda', 'cpu'] })
    expect(config.roles).toEqual(['receive', 'serve'])
    expect(config.assemble).toMatchObject({ quiet: 0.5, release: 5 })
    expect(config.database.url).toBe('postgres://hilum@db/hilum')
    expect(config.admin.token).toBe('bootstrap')
    expect(config.destinations).toEqual({
      self: { kind: 'self' },
      pacs: { kind: 'stow-rs', url: 'http://pacs/dicom-web', auth: { kind: 'none' }, headers: {}, timeout: 60 },
    })
  })

  it('lays overrides over everything', () => {
    const overrides: ConfigInput = { dimse: { port: 1234 }, roles: ['serve'] }
    const config = loadConfig({
      file: fileOf('dimse: { port: 104, host: 127.0.0.1 }'),
      env: { HILUM_DIMSE_PORT: '0' },
      overrides,
    })
    expect(config.dimse).toMatchObject({ port: 1234, host: '127.0.0.1' })
    expect(config.roles).toEqual(['serve'])
  })

  it('reads secrets from the environment and from files', () => {
    const token = fileOf('from-a-file\nsecond line\n')
    const config = loadConfig({
      file: fileOf(`
admin: { token: { file: ${token} } }
destinations:
  pacs:
    kind: stow-rs
    url: https://pacs.example/dicom-web
    auth: { kind: basic, username: hilum, password: { env: PACS_PASSWORD } }
`),
      env: { PACS_PASSWORD: 'from-the-environment' },
    })
    expect(config.admin.token).toBe('from-a-file')
    expect(config.destinations.pacs).toMatchObject({
      auth: { kind: 'basic', username: 'hilum', password: 'from-the-environment' },
    })
  })
})

describe('a faulty configuration', () => {
  it('is refused with every problem at once, each with its line or variable, value and expectation', () => {
    const { problems, message } = problemsOf(
      `aeTitle: A_TITLE_THAT_IS_TOO_LONG
dimse:
  prot: 104
  maxPduLength: 12
http:
  port: eighty
objects: { url: 's3://bucket' }
roles: [receive, sleep]
destinations:
  pacs: { kind: ftp }
routes:
  - name: lung
    inputs: { ct: { where: series.Modalty == "CT" } }
    pipeline: ct-lung-density
    destinations: [self, pcas]
`,
      {
        HILUM_DIMSE_HOTS: 'x',
        HILUM_ASSEMBLE_HL7: '{port: 2575}',
        HILUM_ASSEMBLE_QUIET: 'soon',
        HILUM_RECEIVE_MINIMUMFREE: '3 parsecs',
      },
    )
    const found = new Map(problems.map((problem) => [problem.path, problem]))
    expect([...found.keys()].sort()).toEqual([
      'HILUM_ASSEMBLE_HL7',
      'HILUM_DIMSE_HOTS',
      'aeTitle',
      'assemble.quiet',
      'destinations.pacs.kind',
      'dimse.maxPduLength',
      'dimse.prot',
      'http.port',
      'objects.url',
      'receive.minimumFree',
      'roles.1',
      'routes.0.inputs.ct.where',
    ])
    expect(found.get('dimse.prot')).toMatchObject({
      line: 3,
      expectation: 'no setting has this name (did you mean "port"?)',
    })
    expect(found.get('http.port')).toMatchObject({
      value: '"eighty"',
      line: 6,
      expectation: 'expected number, received string',
    })
    expect(found.get('HILUM_DIMSE_HOTS')?.expectation).toMatch(/HILUM_DIMSE_HOST/)
    expect(found.get('HILUM_ASSEMBLE_HL7')?.expectation).toMatch(/by itself: .*HILUM_ASSEMBLE_HL7_PORT/)
    expect(found.get('assemble.quiet')).toMatchObject({ value: '"soon"', source: 'HILUM_ASSEMBLE_QUIET' })
    expect(found.get('objects.url')?.expectation).toMatch(/not supported by this version/)
    expect(found.get('routes.0.inputs.ct.where')).toMatchObject({ line: 13 })
    expect(found.get('routes.0.inputs.ct.where')?.expectation).toMatch(/line 1, column 8.*Modality[\s\S]*\^\^\^/)
    expect(message).toMatch(/^12 problems in the configuration/)
    expect(message).toContain('http.port (line 6): "eighty": expected number')
  })

  it('names what refers to nothing', () => {
    const text = (name: string) => `
routes:
  - { name: a, inputs: { ct: { where: 'true' } }, pipeline: p, destinations: [${name}] }
  - { name: a, inputs: { ct: { where: 'true' } }, pipeline: p, destinations: [self] }
remotes: [{ aeTitle: CT1 }, { aeTitle: CT1 }]
destinations: { self: { kind: stow-rs, url: 'http://x/' } }
`
    expect(problemsOf(text('slef')).problems.map((p) => [p.path, p.line])).toEqual([
      ['routes.0.destinations.0', 3],
      ['routes.1.name', 4],
      ['remotes.1.aeTitle', 5],
      ['destinations.self.kind', 6],
    ])
  })

  it('never repeats a secret', () => {
    const error = problemsOf(
      `
admin: { token: [hunter2] , tokn: hunter2 }
database: { url: 'mysql://root:hunter2@db/x' }
destinations: { pacs: { kind: stow-rs, url: 'ftp://u:hunter2@x/', auth: { kind: basic, username: 1, password: 2222222 } } }
`,
      { HILUM_ADMIN_TOKN: 'hunter2' },
    )
    expect(error.problems.length).toBeGreaterThan(4)
    expect(JSON.stringify(error.problems) + error.message).not.toMatch(/hunter2|2222222/)
  })

  it('says which secret is absent', () => {
    const text = 'admin: { token: { env: NO_SUCH_VARIABLE } }'
    expect(problemsOf(text).problems).toMatchObject(
      [{ path: 'admin.token', expectation: /NO_SUCH_VARIABLE/, line: 1 }].map((p) => ({
        ...p,
        expectation: expect.stringMatching(p.expectation),
      })),
    )
  })

  it('that is no YAML, or no settings, or not there, says so', () => {
    expect(problemsOf('dimse: { port: 1\nhttp: [').problems[0]).toMatchObject({
      expectation: expect.stringMatching(/^YAML/),
    })
    expect(problemsOf('- a\n- b\n').message).toMatch(/expected settings/)
    expect(() => loadConfig({ file: path.join(folder, 'absent.yaml'), env: {} })).toThrow(/cannot be read/)
  })
})

describe('the JSON Schemas in config/', () => {
  it.each(Object.entries(jsonSchemas()))(
    '%s is what the program checks with (hilum check --write-schemas)',
    (name, text) => {
      expect(readFileSync(path.join(repository, 'config', name), 'utf8')).toBe(text)
    },
  )

  it('belong to the default file', () => {
    expect(readFileSync(path.join(repository, 'config/hilum.yaml'), 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=hilum\.schema\.json\n/,
    )
  })
})
