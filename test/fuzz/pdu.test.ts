import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../support/data.ts'
import { runCampaign } from './campaign.ts'
import { printReport } from './report.ts'

/** The process runs what was built: `npm run build` comes before the tests. */
const built = path.join(repository, 'dist', 'receive', 'receiver.js')
/** `HILUM_FUZZ_SEED` and `HILUM_FUZZ_CASES` play other ones; `node test/fuzz/run.mjs` plays many. */
const seed = Number(process.env.HILUM_FUZZ_SEED ?? 20_261_121)
const cases = Number(process.env.HILUM_FUZZ_CASES ?? 5000)

describe.skipIf(!existsSync(built) || !existsSync('/proc/self/fd'))('the receiving process under fuzzed PDUs', () => {
  it(`lives, answers rightly and leaves nothing behind: ${cases} cases of seed ${seed}`, {
    timeout: 600_000,
  }, async () => {
    process.env.HILUM_FUZZ_ENTRY = built
    const entry = path.join(repository, 'test', 'fuzz', 'receiver-with-gc.mjs')
    const report = await runCampaign({ cases, seed, entry })
    console.log(printReport(report))
    expect(report.faults).toEqual([])
    expect(report.cases).toBe(cases)
  })
})
