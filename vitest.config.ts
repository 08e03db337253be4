import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/support/closing-line.ts'

/** `unit` needs only this repository; `whole` boots real nodes, talks to real peers and fuzzes, one file at a time. */
export default defineConfig({
  test: {
    // The node serves the administrator's page from dist/: it is built once, where its sources have changed.
    globalSetup: './test/support/built-page.ts',
    reporters: ['default', new ClosingLine()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/peers/**', 'test/whole/**', 'test/fuzz/**'],
          testTimeout: 30_000,
          // Vitest leaves one core to others by itself, which on two cores is half of the machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'whole',
          include: ['test/peers/**/*.test.ts', 'test/whole/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
