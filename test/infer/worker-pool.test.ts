import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { InferOutcome, InferTask } from '../../src/infer/task.ts'
import { WorkerPool, type WorkerPoolOptions } from '../../src/infer/worker-pool.ts'
import { silentLog } from '../../src/log.ts'

const entry = path.join(import.meta.dirname, 'child.mjs')

const task = (jobId: string): InferTask => ({
  jobId,
  at: '2025-01-02T03:04:05Z',
  pipelineFolder: '',
  pipelineDigest: '',
  studyInstanceUID: '2.25.1',
  revision: 1,
  inputs: {},
  predecessors: [],
  outFolder: '',
  providers: ['cpu'],
  threads: 1,
})

describe('WorkerPool', () => {
  let pool: WorkerPool
  const start = async (options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> => {
    pool = new WorkerPool({ entry, slots: 1, log: silentLog, ...options })
    await pool.start()
    return pool
  }
  afterEach(async () => {
    await pool.stop(0)
    delete process.env.HILUM_TEST_CHILD
  })
  const run = (jobId: string, deadlineMs = 20_000): Promise<InferOutcome> => pool.run(task(jobId), { deadlineMs })
  const pidOf = (outcome: InferOutcome): string => (outcome.kind === 'done' ? (outcome.log[0] ?? '') : outcome.kind)

  it('starts its processes before they are needed', async () => {
    await start({ slots: 2 })
    expect(pool.state().map((slot) => slot.state)).toEqual(['ready', 'ready'])
    expect(new Set(pool.state().map((slot) => slot.pid)).size).toBe(2)
  })

  it('runs task after task in one process, in order, and passes progress on', async () => {
    await start()
    const stages: string[] = []
    const first = pool.run(task('ok-1'), { deadlineMs: 20_000, onProgress: (stage) => stages.push(stage) })
    const outcomes = await Promise.all([first, run('ok-2'), run('ok-3')])
    expect(new Set(outcomes.map(pidOf))).toEqual(new Set([String(pool.state()[0]?.pid)]))
    expect(stages).toEqual(['ok'])
    expect(pool.state()[0]).toMatchObject({ state: 'ready', tasks: 3, jobId: null })
  })

  it('kills a task that hangs at its deadline, and goes on in a fresh process', async () => {
    await start()
    const before = pool.state()[0]?.pid
    const outcome = await run('hang-1', 300)
    expect(outcome).toMatchObject({ kind: 'failed', code: 'deadline', retry: 'transient' })
    expect(outcome.kind === 'failed' && outcome.reason).toContain('0.3 s')
    const after = await run('ok-1')
    expect(after.kind).toBe('done')
    expect(pidOf(after)).not.toBe(String(before))
    expect(() => process.kill(before ?? 0, 0)).toThrow('ESRCH')
  })

  it.each([
    ['exit-1', 'exit code 7'],
    ['crash-1', 'signal SIGABRT'],
  ])('makes a transient failure of a process that dies (%s), and goes on', async (jobId, how) => {
    await start()
    const outcome = await run(jobId)
    expect(outcome).toMatchObject({ kind: 'failed', code: 'worker-died', retry: 'transient' })
    expect(outcome.kind === 'failed' && outcome.reason).toContain(how)
    expect((await run('ok-1')).kind).toBe('done')
  })

  it('kills a process that takes too much memory, and says how much', async () => {
    await start({ memoryLimitMb: 300 })
    const outcome = await run('grow-1')
    expect(outcome).toMatchObject({ kind: 'failed', code: 'memory-limit', retry: 'permanent' })
    expect(outcome.kind === 'failed' && outcome.reason).toMatch(/took \d+ MiB of memory, 300 MiB is allowed/)
    expect((await run('ok-1')).kind).toBe('done')
  })

  it('replaces a process after its number of tasks', async () => {
    await start({ recycleAfter: 2 })
    const pids: string[] = []
    for (const n of [1, 2, 3, 4]) pids.push(pidOf(await run(`ok-${n}`)))
    expect(pids[0]).toBe(pids[1])
    expect(pids[2]).toBe(pids[3])
    expect(pids[0]).not.toBe(pids[2])
  })

  it('stops a running and a waiting task when they are aborted', async () => {
    await start()
    const running = new AbortController()
    const waiting = new AbortController()
    const started = new Promise<void>((resolve) => {
      const outcome = pool.run(task('hang-1'), {
        deadlineMs: 20_000,
        signal: running.signal,
        onProgress: () => resolve(),
      })
      void outcome.then((o) => outcomes.push(o))
    })
    const outcomes: InferOutcome[] = []
    await started
    const second = pool.run(task('ok-2'), { deadlineMs: 20_000, signal: waiting.signal })
    waiting.abort()
    expect(await second).toMatchObject({ kind: 'failed', code: 'aborted' })
    running.abort()
    expect((await run('ok-3')).kind).toBe('done')
    expect(outcomes).toEqual([expect.objectContaining({ kind: 'failed', code: 'aborted', retry: 'transient' })])
  })

  it('gives tasks back when no process starts', async () => {
    process.env.HILUM_TEST_CHILD = 'never'
    await start()
    expect(await run('ok-1')).toMatchObject({ kind: 'failed', code: 'worker-start', retry: 'transient' })
  })

  it('lets a running task end when it stops, and takes no more', async () => {
    await start()
    const last = run('ok-1')
    const pid = pool.state()[0]?.pid
    await pool.stop(5000)
    expect((await last).kind).toBe('done')
    expect(await run('ok-2')).toMatchObject({ kind: 'failed', code: 'aborted' })
    expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH')
  })

  it('kills a running task that outlasts the grace', async () => {
    await start()
    const last = run('hang-1')
    await pool.stop(100)
    expect(await last).toMatchObject({ kind: 'failed', retry: 'transient' })
  })
})
