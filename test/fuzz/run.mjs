/**
 * The fuzzer of PDUs and P-DATA in the long run, against a receiving process of its own (what is built: `npm run build` first).
 *
 *   node test/fuzz/run.mjs [--cases 100000] [--seed N] [--concurrency 32] [--kind NAME] [--only CASE] [--no-sync]
 *     [--no-journals]
 *
 * The same seed gives the same cases; `--only` plays one of them. Prints a report; the exit code is 1 when anything was wrong.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runnerImport } from 'vite'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    concurrency: { type: 'string', default: '32' },
    kind: { type: 'string' },
    only: { type: 'string' },
    entry: { type: 'string' },
    'no-sync': { type: 'boolean', default: false },
    'no-journals': { type: 'boolean', default: false },
  },
})
const here = fileURLToPath(new URL('.', import.meta.url))
process.env.HILUM_FUZZ_ENTRY = values.entry ?? path.join(here, '..', '..', 'dist', 'receive', 'receiver.js')
const { module } = await runnerImport(path.join(here, 'campaign.ts'), { logLevel: 'error' })
const { printReport } = (await runnerImport(path.join(here, 'report.ts'), { logLevel: 'error' })).module

const report = await module.runCampaign({
  cases: Number(values.cases),
  seed: Number(values.seed),
  concurrency: Number(values.concurrency),
  entry: path.join(here, 'receiver-with-gc.mjs'),
  sync: !values['no-sync'],
  journals: !values['no-journals'],
  ...(values.kind && { kind: values.kind }),
  ...(values.only && { only: Number(values.only) }),
  onProgress: (done, total) => process.stderr.write(`${done} of ${total}\n`),
})
process.stdout.write(`${printReport(report)}\n`)
process.exitCode = report.faults.length > 0 ? 1 : 0
