import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Grid } from '../../../src/infer/image.ts'
import { openCommand } from '../../../src/infer/runtime/command.ts'
import { isolation } from '../../../src/infer/runtime/isolation.ts'
import type { ModelContext } from '../../../src/infer/runtime/model.ts'
import { decodeNifti, encodeNifti } from '../../../src/infer/runtime/nifti-file.ts'
import { decodeNpy, encodeNpy } from '../../../src/infer/runtime/npy.ts'
import { type CommandOptions, modelOptions } from '../../../src/infer/runtime/options.ts'
import type { Tensor } from '../../../src/infer/runtime/tensor.ts'
import { modelContext, using } from './contexts.ts'

let folder: string
let jobs: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-command-'))
  jobs = path.join(folder, 'jobs')
  await mkdir(jobs)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const isolated = (await isolation()).missing === null

const node = process.execPath
/** Options of a program of JavaScript; `fs`, `input` and `output` are there. */
function program(script: string, more: Record<string, unknown> = {}): CommandOptions {
  const head = 'const [input, output] = process.argv.slice(1); const fs = require("node:fs");'
  return modelOptions.parse({
    runtime: 'command',
    command: [node, '-e', head + script, '{in}', '{out}'],
    deadlineSeconds: 20,
    memoryMb: 1024,
    onMissingIsolation: 'record',
    ...more,
  }) as CommandOptions
}

const grid: Grid = {
  size: [3, 2, 2],
  spacing: [0.5, 1.5, 2],
  origin: [-10, 20, 5],
  axes: [
    [0, 1, 0],
    [0, 0, -1],
    [1, 0, 0],
  ],
}
const volume: Tensor = {
  type: 'float32',
  dims: [1, 1, 2, 2, 3],
  data: Float32Array.from({ length: 12 }, (_, i) => i / 4),
  place: { grid, layout: 'NCDHW' },
}
const run = (
  options: CommandOptions,
  feeds: Record<string, Tensor> = {},
  wanted: string[] = [],
  more: Partial<ModelContext> = {},
) =>
  using(openCommand(options, modelContext(folder, { temporaryFolder: jobs, ...more })), (model) =>
    model.run(feeds, wanted),
  )

describe('a program', () => {
  it('finds NIfTI and leaves NIfTI, with its place in space', async () => {
    const copy = 'fs.copyFileSync(`${input}/image.nii`, `${output}/result.nii`)'
    const { result } = await run(program(copy), { image: volume }, ['result'])
    expect(result).toMatchObject({ type: 'float32', dims: [2, 2, 3], data: volume.data, place: { layout: 'DHW' } })
    expect(result?.place?.grid.size).toEqual(grid.size)
    for (const key of ['spacing', 'origin'] as const)
      for (const axis of [0, 1, 2]) expect(result?.place?.grid[key][axis]).toBeCloseTo(grid[key][axis] as number, 5)
    for (const axis of [0, 1, 2])
      for (const part of [0, 1, 2])
        expect(result?.place?.grid.axes[axis]?.[part]).toBeCloseTo(grid.axes[axis]?.[part] as number, 6)
  })

  it('finds .npy and leaves .npy or numbers', async () => {
    const script = `
      const text = fs.readFileSync(input + '/age.json', 'utf8')
      fs.copyFileSync(input + '/image.npy', output + '/result.npy')
      fs.writeFileSync(output + '/score.json', JSON.stringify([[JSON.parse(text).dims[0], 0.5]]))`
    const age: Tensor = { type: 'int16', dims: [1], data: Int16Array.of(63) }
    const values = await run(program(script, { format: 'npy' }), { image: volume, age }, ['result', 'score'])
    expect(values.result).toEqual({ type: 'float32', dims: volume.dims, data: volume.data })
    expect(values.score).toEqual({ type: 'float64', dims: [1, 2], data: Float64Array.of(1, 0.5) })
  })

  it('is handed nothing but arrays and what describes them, and nothing of it stays', async () => {
    const list =
      "fs.writeFileSync(output + '/n.json', JSON.stringify([fs.readdirSync(input).length])); fs.writeFileSync(process.env.HOME + '/left', '')"
    const { n } = await run(program(list), { image: volume }, ['n'])
    expect(n?.data[0]).toBe(2)
    expect(await readdir(jobs)).toEqual([])
  })

  it('finds nothing of the node’s environment', async () => {
    process.env.HILUM_ADMIN_TOKEN_TEST = 'a secret'
    const script =
      "fs.writeFileSync(output + '/n.json', JSON.stringify([Object.keys(process.env).length])); console.log(Object.keys(process.env).sort().join())"
    let written = ''
    await run(program(script, { environment: { THREADS: '2' } }), {}, ['n'], {
      onProgramOutput: ({ stream, text }) => {
        if (stream === 'stdout') written += text
      },
    })
    delete process.env.HILUM_ADMIN_TOKEN_TEST
    expect(written.trim()).toBe('HOME,LANG,PATH,THREADS,TMPDIR')
  })

  it.runIf(isolated)('has no network, and sees no other process', async () => {
    const script = `
      const socket = require('node:net').connect(9, '127.0.0.1')
      socket.on('error', ({ code }) => {
        const pids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
        fs.writeFileSync(output + '/n.json', JSON.stringify([code === 'ENETUNREACH' ? 1 : 0, pids.length]))
      })`
    const { n } = await run(program(script, { onMissingIsolation: 'refuse' }), {}, ['n'])
    expect(n?.data[0]).toBe(1)
    expect(n?.data[1]).toBeLessThan(4)
  })

  it('is ended at its deadline with all that it started', async () => {
    const mark = path.join(folder, 'still-there')
    const child = `setInterval(() => require('node:fs').writeFileSync(${JSON.stringify(mark)}, String(Date.now())), 20)`
    const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { detached: true, stdio: 'ignore' }).unref(); setInterval(() => {}, 1000)`
    await expect(run(program(script, { deadlineSeconds: 1 }))).rejects.toMatchObject({
      code: 'model-deadline',
      message: 'the program did not end within 1 s',
    })
    if (!isolated) return
    // It writes every 20 ms as long as it lives.
    await vi.waitFor(async () => {
      const then = await readFile(mark, 'utf8')
      await sleep(200)
      expect(await readFile(mark, 'utf8')).toBe(then)
    }, 5000)
  })

  it('is ended when it takes too much memory, or fails for want of it', async () => {
    const script = 'const all = []; setInterval(() => { const b = Buffer.alloc(64 * 2 ** 20, 1); all.push(b) }, 5)'
    await expect(run(program(script, { memoryMb: 300 }))).rejects.toMatchObject({
      code: 'model-failed',
      message: expect.stringMatching(/MiB of memory, at most 300 MiB|was ended by|ended with exit code/),
    })
  })

  it('is ended when it writes too much', async () => {
    const script = "setInterval(() => fs.appendFileSync(output + '/big', Buffer.alloc(2 ** 20)), 5)"
    await expect(run(program(script, { outputMb: 5 }))).rejects.toMatchObject({
      code: 'model-failed',
      message: expect.stringMatching(/MiB of output, at most 5 MiB/),
    })
  })

  it('is ended with its job', async () => {
    const abort = new AbortController()
    const running = run(program('setInterval(() => {}, 1000)'), {}, [], { signal: abort.signal })
    setTimeout(() => abort.abort(), 200)
    await expect(running).rejects.toMatchObject({ code: 'model-failed', message: 'the program was ended with its job' })
  })

  it('fails with its exit code, and with nothing that it wrote', async () => {
    const said: string[] = []
    const script = "console.error('DOE^JANE'); console.log('x'.repeat(200_000)); process.exitCode = 3"
    const failing = run(program(script), {}, [], {
      onProgramOutput: ({ stream, text }) => said.push(`${stream} ${text.length}`),
    })
    await expect(failing).rejects.toMatchObject({
      code: 'model-failed',
      message: 'the program ended with exit code 3',
      detail: {},
    })
    expect(said).toEqual(['stdout 65536', 'stderr 9'])
  })

  it.each([
    ['that cannot be started', { command: ['/no/such/program'] }, '', /exit code|cannot be started/],
    ['that leaves nothing', {}, '', /left none of result.nii.gz, result.nii, result.npy, result.json/],
    ['that leaves a link', {}, "fs.symlinkSync('/etc/passwd', output + '/result.npy')", /no plain file/],
    [
      'that leaves no array',
      {},
      "fs.writeFileSync(output + '/result.npy', 'nothing of the kind')",
      /does not begin as one/,
    ],
    ['that leaves words', {}, "fs.writeFileSync(output + '/result.json', '[\"a\"]')", /list of numbers is expected/],
  ])('%s is a failure that says so', async (_, more, script, message) => {
    await expect(run(program(script, more), {}, ['result'])).rejects.toMatchObject({
      code: 'model-failed',
      message: expect.stringMatching(message),
    })
  })

  it('of the pipeline’s folder is found there', async () => {
    const file = path.join(folder, 'model.sh')
    await writeFile(file, '#!/bin/sh\necho "[42]" > "$1/answer.json"\n')
    await chmod(file, 0o755)
    const options = modelOptions.parse({
      runtime: 'command',
      command: ['/bin/sh', '{pipeline}/model.sh', '{out}'],
      onMissingIsolation: 'record',
    }) as CommandOptions
    expect((await run(options, {}, ['answer'])).answer?.data[0]).toBe(42)
  })
})

describe('files of arrays', () => {
  it.each([
    [{ type: 'uint8', dims: [2, 2], data: Uint8Array.of(1, 2, 3, 255) }],
    [{ type: 'bool', dims: [2], data: Uint8Array.of(1, 0) }],
    [{ type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) }],
    [{ type: 'int64', dims: [1, 2], data: BigInt64Array.of(-1n, 2n ** 50n) }],
    [{ type: 'float64', dims: [], data: Float64Array.of(Math.PI) }],
  ] as [Tensor][])('are .npy, and come back: $type', (tensor) => {
    const file = Buffer.concat(encodeNpy(tensor))
    expect((file.length - tensor.data.byteLength) % 64).toBe(0)
    expect(decodeNpy('output', file)).toEqual(tensor)
  })

  it('are NIfTI with scaled values', () => {
    const tensor: Tensor = { type: 'int16', dims: [1, 2, 3], data: Int16Array.of(0, 1, 2, 3, 4, -5) }
    const flat: Grid = { ...grid, size: [3, 2, 1] }
    const file = Buffer.concat(encodeNifti(tensor, { grid: flat, layout: 'DHW' }))
    expect(decodeNifti('output', file, 1e6)).toMatchObject({ type: 'int16', data: tensor.data })
    file.writeFloatLE(0.5, 112)
    file.writeFloatLE(-1, 116)
    expect(decodeNifti('output', file, 1e6)).toMatchObject({
      type: 'float32',
      data: Float32Array.of(-1, -0.5, 0, 0.5, 1, -3.5),
    })
  })

  it('are NIfTI in the order of an image only', () => {
    const tensor: Tensor = { type: 'uint8', dims: [3, 2, 1], data: new Uint8Array(6) }
    expect(() => encodeNifti(tensor, { grid, layout: 'XYZ' })).toThrowError(/NCDHW/)
  })
})
