// A worker that does what the job's id says; it speaks the messages of src/infer/task.ts.
const id = process.argv[1]
if (process.env.HILUM_TEST_CHILD === 'never') process.exit(3)
process.on('disconnect', () => process.exit(0))
process.on('message', (task) => {
  const end = (outcome) => process.send({ kind: 'outcome', jobId: task.jobId, outcome, rss: process.memoryUsage.rss() })
  const done = { kind: 'done', provider: 'cpu', results: [], findings: [], log: [String(process.pid)] }
  const [what] = task.jobId.split('-')
  process.send({ kind: 'progress', jobId: task.jobId, stage: what, fraction: 0.5 })
  if (what === 'hang') for (;;) Math.sqrt(2)
  if (what === 'wait') return
  if (what === 'exit') process.exit(7)
  if (what === 'crash') process.abort()
  if (what === 'grow') {
    globalThis.held = []
    const grow = () => {
      for (let i = 0; i < 8; i++) globalThis.held.push(Buffer.alloc(4 * 2 ** 20, 1))
      setTimeout(grow, 5)
    }
    grow()
    return
  }
  setTimeout(() => end(done), 20)
})
process.send({ kind: 'ready', id })
