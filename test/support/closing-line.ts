import type { Reporter, TestModule } from 'vitest/node'

/** Ends the run's output with one plain line that any tool can read: "N passed, N failed, N skipped". */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let [passed, failed, skipped] = [0, 0, 0]
    for (const module of modules) {
      const before = failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failed++
        else skipped++
      }
      // A file that could not even be loaded has no tests, and is a failure all the same.
      if (module.state() === 'failed' && failed === before) failed++
    }
    // After the default reporter's own summary.
    process.on('exit', () => process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`))
  }
}
