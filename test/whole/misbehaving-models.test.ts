import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { echo, sendInstances } from '../../src/dimse/send.ts'
import { isolation } from '../../src/infer/runtime/isolation.ts'
import { repository } from '../support/data.ts'
import { isSettled, NodeProcess, type Timeline } from '../support/node-process.ts'
import { encodeOnnx } from '../support/onnx-file.ts'
import { ctSlice, writePart10 } from '../support/part10-file.ts'
import { type Entry, graphs, onnx, program, served, size, writePipeline } from './misbehaving/pipelines.ts'
import { misbehavingServers, type Servers } from './misbehaving/servers.ts'

/** Seconds of any job, of one answer of a server, and of a program. */
const deadlines = { job: 10, server: 2, program: 2 }
/** MiB that a job's process may hold. */
const memoryLimit = 1024
/** What a machine with other work may take to start a process for a job, and to end one that is overdue, seconds. */
const grace = 30

interface Case {
  entry: Entry
  /** What the job's error says. */
  says: RegExp
  /** Seconds by which each attempt has ended. */
  within?: number
}

const isolated = (await isolation()).missing === null
const onServer = { deadlineSeconds: deadlines.server }
const grpc = { ...onServer, protocol: 'grpc' }
const limits = { deadlineSeconds: deadlines.program }

const cases: Record<string, Case> = {
  'onnx-hangs': { entry: onnx(graphs.hangs), says: /ended at its deadline of 10 s/, within: deadlines.job },
  'onnx-grows': { entry: onnx(graphs.grows), says: /took \d+ MiB of memory, 1024 MiB is allowed/ },
  'onnx-wants-all': { entry: onnx(graphs.wantsAll), says: /infer model: the model ran out of memory/ },
  'onnx-nan': { entry: onnx(graphs.notANumber), says: /output result: element 0 of 1024 is NaN, finite numbers/ },
  'onnx-flat': { entry: onnx(graphs.flat), says: /output result: .*\[1, 1024\]/ },
  'onnx-no-model': { entry: onnx(Buffer.from('<html>404 Not Found</html>')), says: /cannot be used: .*rotobuf/ },
  'onnx-truncated': { entry: onnx(encodeOnnx(graphs.notANumber).subarray(0, 60)), says: /cannot be used: .*rotobuf/ },
  'program-hangs': { entry: program('hang', limits), says: /did not end within 2 s/, within: deadlines.program },
  'program-outlasts-job': {
    entry: program('hang-with-children', { deadlineSeconds: 600 }),
    says: /ended at its deadline of 10 s/,
    within: deadlines.job,
  },
  'program-hangs-with-children': {
    entry: program('hang-with-children', limits),
    says: /did not end within 2 s/,
    within: deadlines.program,
  },
  'program-allocates': {
    entry: program('allocate', { memoryMb: 512 }),
    says: /(MiB of memory, at most 512 MiB|ran out of memory: at most 512 MiB)/,
  },
  'program-allocates-at-once': {
    entry: program('allocate-at-once', { memoryMb: 512 }),
    says: /(MiB of memory, at most 512 MiB|ran out of memory: at most 512 MiB)/,
  },
  'program-exits': { entry: program('exit-1'), says: /the program ended with exit code 1$/ },
  'program-fails': { entry: program('throw'), says: /the program ended with exit code 1$/ },
  'program-crashes': { entry: program('crash'), says: /the program was ended by SIG(ABRT|TRAP|SEGV|ILL)/ },
  'program-leaves-nothing': { entry: program('nothing'), says: /output result: the program left none of/ },
  'program-wrong-type': { entry: program('wrong-type'), says: /output result: .*<c16/ },
  'program-wrong-shape': { entry: program('wrong-shape'), says: /output result: .*(\[3, 5\]|5 x 3)/ },
  'program-nan': { entry: program('not-a-number'), says: /output result: element 0 of 1024 is NaN/ },
  'program-fills-disk': { entry: program('fill-the-disk', { outputMb: 32 }), says: /MiB of output, at most 32 MiB/ },
  ...(isolated && {
    'program-wants-network': { entry: program('network'), says: /exit code 1.*it has no network/ },
  }),
  'http-hangs': {
    entry: served('http', 'hangs', onServer),
    says: /inference server http did not answer within 2 s/,
    within: deadlines.server,
  },
  'http-closes': {
    entry: served('http', 'closes-in-the-middle'),
    says: /inference server http cannot be reached: .*closed the connection/,
  },
  'http-wrong-shape': { entry: served('http', 'wrong-shape'), says: /output scaled: .*\[1, 3, 2, 2\]/ },
  'http-too-few': { entry: served('http', 'too-few-bytes'), says: /output scaled: 12 bytes were found/ },
  'http-shape-without-end': {
    entry: served('http', 'shape-without-end'),
    says: /output scaled: 1 elements were found/,
  },
  'http-nan': { entry: served('http', 'not-a-number'), says: /output scaled: element 0 of 256 is NaN/ },
  'http-endless-body': {
    entry: served('http', 'endless-body'),
    says: /the answer of inference server http has more than 16777216 bytes/,
  },
  'http-endless-trickle': {
    entry: served('http', 'endless-trickle', onServer),
    says: /did not answer within 2 s/,
    within: deadlines.server,
  },
  'http-fails': { entry: served('http', 'fails'), says: /answers 500 to POST .*illegal memory access/ },
  'http-unknown-model': { entry: served('http', 'unknown'), says: /answers 404 .*unknown model/ },
  'http-drops': { entry: served('dropping', 'scale'), says: /inference server dropping cannot be reached/ },
  'http-not-configured': { entry: served('elsewhere', 'scale'), says: /no inference server of the name elsewhere/ },
  'grpc-hangs': {
    entry: served('grpc', 'hangs', grpc),
    says: /inference server grpc did not answer within 2 s/,
    within: deadlines.server,
  },
  'grpc-wrong-shape': { entry: served('grpc', 'wrong-shape', grpc), says: /output scaled: .*\[1, 3, 2, 2\]/ },
  'grpc-too-few': { entry: served('grpc', 'too-few-bytes', grpc), says: /output scaled: 12 bytes were found/ },
  'grpc-too-much': { entry: served('grpc', 'too-much', grpc), says: /has more than 16777216 bytes/ },
  'grpc-nan': { entry: served('grpc', 'not-a-number', grpc), says: /output scaled: element 0 of 256 is NaN/ },
  'grpc-fails': {
    entry: served('grpc', 'fails', grpc),
    says: /answers INTERNAL to ModelInfer: .*illegal memory access/,
  },
  'grpc-drops': { entry: served('dropping', 'scale', grpc), says: /inference server dropping cannot be reached/ },
}

/** Of each runtime one that works; the program leaves children behind. */
const good: Record<string, Entry> = {
  onnx: onnx(graphs.good),
  program: program('good-but-leaves-children', { series: ['ct'] }),
  http: served('http', 'scale'),
  grpc: served('grpc', 'scale', grpc),
}

/** Runs a command of the node's. */
function hilum(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, ['dist/main.js', ...args], { cwd: repository })
}

/** Processes with a word in their command line. */
function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(word) ? [`${pid}: ${line.replaceAll('\0', ' ')}`] : []
      } catch {
        return [] // it ended meanwhile
      }
    })
}

describe('models that misbehave', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-misbehaving-'))
  const pipelines = path.join(folder, 'pipelines')
  const names = [...Object.keys(cases), ...Object.keys(good)]
  const ended = new Map<string, { bad: Timeline; after: Timeline }>()
  const echoes: string[] = []
  let servers: Servers
  let node: NodeProcess

  /** A series that the pipeline of a name is made for, and what its study led to. */
  async function study(pipeline: string, id: string): Promise<Timeline> {
    const files = Array.from({ length: size[2] }, (_, k) => {
      const file = path.join(folder, `${id}-${k}.dcm`)
      writePart10(file, ctSlice({ StudyID: id, InstanceNumber: k + 1, SeriesDescription: pipeline }))
      return file
    })
    const peer = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM' }
    expect((await sendInstances({ ...peer, files })).stored).toBe(files.length)
    const { StudyInstanceUID: uid } = ctSlice({ StudyID: id })
    return node.until(String(uid), isSettled, { seconds: 150, what: `the end of ${id}` })
  }

  /** Asks whether the node is there, as long as nothing ends it. */
  async function echoUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const peer = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM' }
      echoes.push(
        await echo(peer).then(
          ({ status }) => String(status),
          (error: unknown) => String(error),
        ),
      )
      await sleep(250)
    }
  }

  beforeAll(async () => {
    servers = await misbehavingServers()
    mkdirSync(pipelines)
    for (const [name, { entry }] of Object.entries(cases)) writePipeline(pipelines, name, entry)
    for (const [name, entry] of Object.entries(good)) writePipeline(pipelines, name, entry)
    const server = (url: string) => ({ url, maximumBytes: '16 MiB' })
    const config = {
      infer: {
        slots: 4,
        deadline: deadlines.job,
        memoryLimit: `${memoryLimit} MiB`,
        servers: { http: server(servers.http), grpc: server(servers.grpc), dropping: server(servers.dropping) },
      },
      pipelines: { folder: pipelines },
      routes: names.map((name) => ({
        name,
        inputs: { ct: { where: `series.SeriesDescription == "${name}"` } },
        pipeline: name,
        destinations: ['self'],
      })),
    }
    const file = path.join(folder, 'hilum.yaml')
    writeFileSync(file, JSON.stringify(config))
    node = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.2' }, file).start()
    const stop = new AbortController()
    const echoing = echoUntil(stop.signal)
    // Those that take until the job's deadline begin, and the others run beside them.
    const byTime = Object.keys(cases).sort((a, b) => (cases[b]?.within ?? 0) - (cases[a]?.within ?? 0))
    const waiting = byTime.values()
    const runNext = async (): Promise<void> => {
      for (const name of waiting) {
        const bad = await study(name, `bad-${name}`)
        const runtime = name.split('-')[0] as string
        ended.set(name, { bad, after: await study(runtime, `good-after-${name}`) })
      }
    }
    await Promise.all(Array.from({ length: 6 }, runNext))
    stop.abort()
    await echoing
  }, 240_000)

  afterAll(async () => {
    await node?.dispose()
    await servers?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(Object.entries(cases))(
    '%s: fails and says why, in time; the next study is done',
    (name, { says, within }) => {
      const { bad, after } = ended.get(name) as { bad: Timeline; after: Timeline }
      const job = bad.jobs.find(({ kind }) => kind === 'infer')
      expect(bad.state).toBe('failed')
      expect(job).toMatchObject({ state: 'failed', refused: false })
      expect(job?.error).toMatch(says)
      for (const { error, ms } of job?.attempts ?? []) {
        expect(error).toMatch(says)
        if (within !== undefined) expect(ms).toBeLessThan((within + grace) * 1000)
      }
      expect(bad.results).toEqual([])
      expect(after.state, JSON.stringify(after.jobs)).toBe('done')
      expect(after.results).toHaveLength(size[2])
      for (const { error } of after.jobs.flatMap(({ attempts }) => attempts)) expect(error).toBeNull()
    },
  )

  it('what a program returns has its identity again, and is kept for export', async () => {
    const id = 'good-after-program-hangs'
    const uid = String(ctSlice({ StudyID: id }).StudyInstanceUID)
    const { exports } = await node.json<{ exports: { id: number; name: string }[] }>(`/api/studies/${uid}/exports`)
    expect(exports.map(({ name }) => name)).toEqual(['returned-0001.dcm'])
    const file = path.join(folder, 'returned.dcm')
    const answer = await node.fetch(`/api/exports/${exports[0]?.id}`)
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
    const { elements } = await readInstanceFile(file)
    expect(textOf(elements, 'StudyInstanceUID')).toBe(uid)
    expect(textOf(elements, 'PatientID')).toBe('P1')
  })

  it('the commands for pipelines use the configured servers, and show what programs say', async () => {
    const config = ['--config', path.join(folder, 'hilum.yaml')]
    const [data, first] = [path.join(folder, 'cases'), path.join(folder, 'cases', 'first')]
    mkdirSync(first, { recursive: true })
    for (let k = 0; k < size[2]; k++)
      writePart10(path.join(first, `${k}.dcm`), ctSlice({ StudyID: 'first', InstanceNumber: k + 1 }))
    writeFileSync(path.join(folder, 'truth.csv'), 'case,volume\nfirst,1.024\n')
    const out = (name: string): string[] => ['--out', path.join(folder, name)]
    for (const pipeline of ['http', 'grpc']) {
      const run = await hilum(['pipeline', 'run', pipeline, ...config, '--input', `ct=${first}`, ...out(pipeline)])
      expect(run.stdout).toMatch(/^Volume: 1.024 mL$/m)
    }
    const truth = ['--data', data, '--reference', path.join(folder, 'truth.csv')]
    const evaluation = await hilum(['evaluate', 'http', ...config, ...truth, ...out('report')])
    expect(evaluation.stdout).toMatch(/^1 of 1 cases compared$/m)
    const failing = ['pipeline', 'run', 'program-fails', ...config, '--input', `ct=${first}`, ...out('program')]
    await expect(hilum(failing)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/failed \(model-failed\): infer model: the program ended with exit code 1/),
      stderr: expect.stringMatching(/^program \(error\): .*nothing to work on/m),
    })
  })

  it('C-ECHO was answered all the while', () => {
    expect(echoes.length).toBeGreaterThan(10)
    expect(new Set(echoes)).toEqual(new Set(['0']))
  })

  it.runIf(isolated)('no process and no file of a job is left', () => {
    expect(processesWith(pipelines)).toEqual([])
    expect(readdirSync(path.join(node.dataDir, 'work'))).toEqual([])
  })
})
