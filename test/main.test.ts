import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repository } from './support/data.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-main-'))
const program = path.join(repository, 'dist/main.js')

beforeAll(() => {
  if (!existsSync(program)) throw new Error('dist/main.js is not built: npm run build')
})
afterAll(() => rmSync(folder, { recursive: true }))

function hilum(args: string[], env: Record<string, string> = {}): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [program, ...args], {
    cwd: repository,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HILUM_DATADIR: path.join(folder, 'data'), ...env },
  })
  return { code: run.status, out: run.stdout, err: run.stderr }
}

function fileOf(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

describe('the command line', () => {
  it('lists its commands, and says more about each', () => {
    const help = hilum(['help'])
    expect(help.code).toBe(0)
    for (const name of ['start', 'check', 'migrate', 'send', 'study', 'route', 'pipeline', 'demo']) {
      expect(help.out).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    for (const name of ['check', 'migrate', 'send', 'study', 'route', 'pipeline']) {
      const more = hilum(['help', name])
      expect(more.err).toBe('')
      expect(more.code).toBe(0)
      expect(more.out).toMatch(new RegExp(`^hilum ${name}`))
    }
  })

  it.each([
    [[], /./],
    [['strat'], /no such command/],
    [['constructor'], /no such command/],
    [['backup'], /not available in this version/],
    [['restore'], /not available in this version/],
    [['evaluate', 'x'], /--data FOLDER is missing/],
    [['check', '--confg', 'x'], /confg/],
    [['send'], /at least one file/],
    [['send', 'package.json', '--to', 'PACS'], /AE@host:port/],
    [['send', 'no-such-file', '--to', 'PACS@127.0.0.1:104'], /no such file/],
    [['study', 'not-a-uid'], /no UID/],
    [['route', 'test'], /name a DICOM file/],
    [['pipeline'], /list or check/],
  ])('answers nonsense with exit code 2 and how to do better: %j', (args, text) => {
    const { code, out, err } = hilum(args)
    expect(code).toBe(2)
    expect(out + err).toMatch(text)
  })

  it('goes on without a reader that has seen enough', () => {
    const run = spawnSync('sh', ['-c', '( "$0" "$1" help; echo "code $?" >&2 ) | true', process.execPath, program], {
      encoding: 'utf8',
    })
    expect(run.stderr).toBe('code 0\n')
  })

  it('check reports every problem of configuration and environment at once', () => {
    const config = fileOf('bad.yaml', 'dimse: { prot: 1 }\nhttp: { port: x }\n')
    const { code, err } = hilum(['check', '--config', config], { HILUM_NONSENSE: '1' })
    expect(code).toBe(1)
    expect(err).toMatch(/3 problems/)
    expect(err).toMatch(/dimse\.prot \(line 1\).*did you mean "port"/)
    expect(err).toMatch(/http\.port \(line 2\): "x"/)
    expect(err).toMatch(/HILUM_NONSENSE/)
  })

  it('check names pipelines and inputs that are not there', () => {
    const config = fileOf(
      'route.yaml',
      `pipelines: { folder: ${path.join(repository, 'models')} }
routes: [{ name: a, inputs: { ct: { where: 'true' } }, pipeline: no-such-pipeline, destinations: [self] }]`,
    )
    const { code, err } = hilum(['check', '--config', config])
    expect(code).toBe(1)
    expect(err).toMatch(/routes\.0\.pipeline: no pipeline is called "no-such-pipeline"/)
  })

  it('the default configuration is in order', () => {
    expect(hilum(['check'])).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/in order: 1 route,/) })
  })

  it('migrate makes the database, and the second time says that there is nothing to do', () => {
    const env = { HILUM_DATADIR: path.join(folder, 'fresh') }
    expect(hilum(['migrate'], env)).toMatchObject({ code: 0, out: expect.stringMatching(/from empty to \d+/) })
    expect(existsSync(path.join(folder, 'fresh/hilum.sqlite'))).toBe(true)
    expect(hilum(['migrate'], env)).toMatchObject({ code: 0, out: expect.stringMatching(/up to date/) })
    const unknown = hilum(['study', '2.25.1'], env)
    expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/not known/) })
    expect(hilum(['route', 'list'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^lung-density .* on .*ct-lung-density -> self/),
    })
  })

  it('route check refuses a mistaken route with the position of the mistake', () => {
    const file = fileOf(
      'mistake.yaml',
      'name: x\npipeline: ct-lung-density\ndestinations: [self]\ninputs: { ct: { where: series.Modalty == "CT" } }\n',
    )
    const { code, err } = hilum(['route', 'check', file])
    expect(code).toBe(1)
    expect(err).toMatch(
      /inputs\.ct\.where: line 1, column 8: unknown DICOM keyword "Modalty" \(did you mean "Modality"\?\)/,
    )
  })

  it('a question makes no data folder', () => {
    const env = { HILUM_DATADIR: path.join(folder, 'never-made') }
    expect(hilum(['route', 'list'], env).code).toBe(0)
    expect(existsSync(path.join(folder, 'never-made'))).toBe(false)
  })
})
