import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../../src/dicom/instance-file.ts'
import type { Pipeline } from '../../../src/infer/load-pipelines.ts'
import { runPipeline } from '../../../src/infer/run-pipeline.ts'
import type { InferTask } from '../../../src/infer/task.ts'
import { sharedData } from '../../support/data.ts'
import { available } from '../../support/programs.ts'
import { code, writePipeline } from './cube.ts'

const archive = sharedData('ibsi', 'sts_002_003_ct_mr_pet_rtstruct.tar.xz')
const segment = (id: string): string =>
  `{ id: ${id}, from: ${id}, value: 1, label: ${id}, category: ${code}, type: ${code}, colour: [255, 0, 0] }`
const volume = (id: string): string =>
  `{ id: ${id}-volume, name: V, quantity: volume, segment: ${id}, code: ${code}, unit: { value: mL, scheme: UCUM, meaning: mL } }`

/** Where the uptake on a PET is above 4 g/mL: on its own grid, and on that of the CT. */
const body = `
inputs:
  - { name: ct, kind: volume, modality: CT }
  - { name: pet, kind: volume, modality: PT }
prepare:
  on-ct: { from: pet, steps: [resample-to: { grid: ct }] }
finish:
  hot-here: { from: pet, steps: [threshold: { minimum: 4 }] }
  hot-on-ct: { from: on-ct, steps: [threshold: { minimum: 4 }] }
segments: [${segment('hot-here')}, ${segment('hot-on-ct')}]
measure:
  - ${volume('hot-here')}
  - ${volume('hot-on-ct')}
  - { id: tissue, name: M, quantity: mean, of: ct, segment: hot-on-ct, code: ${code}, unit: { value: '1', scheme: UCUM, meaning: HU } }
outputs: [{ kind: measurement-report, source: pet }]
`

describe.skipIf(!available('xz', archive))('a PET and a CT of one patient, made on one scanner', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-registered-'))
  let pipeline: Pipeline
  beforeAll(async () => {
    const images = ['STS_002/CT', 'STS_003/CT', 'STS_003/PET'].map((one) => `ibsi_validation/dicom/${one}/image`)
    execFileSync('tar', ['-xJf', archive ?? '', '-C', folder, ...images])
    pipeline = await writePipeline(folder, body)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function series(patient: string, modality: string): Promise<InferTask['inputs'][string]> {
    const own = path.join(folder, 'ibsi_validation', 'dicom', patient, modality, 'image')
    const files = readdirSync(own).map((name) => path.join(own, name))
    const { elements } = await readInstanceFile(files[0] ?? '')
    return { seriesInstanceUID: textOf(elements, 'SeriesInstanceUID') ?? '', files }
  }

  it('lie on each other by their Frame of Reference', async () => {
    const inputs = { ct: await series('STS_003', 'CT'), pet: await series('STS_003', 'PET') }
    const found = await runPipeline({ inputs, providers: ['cpu'], threads: 1 }, pipeline)
    if (found.kind === 'refused') throw new Error(found.reason)
    const values = Object.fromEntries(found.measurements.map(({ id, value }) => [id, value]))
    const here = values['hot-here-volume'] ?? 0
    expect(here).toBeGreaterThan(50)
    expect(Math.abs((values['hot-on-ct-volume'] ?? 0) - here) / here).toBeLessThan(0.15)
    // What lies there on the CT is soft tissue, not air, lung or bone.
    expect(values.tissue).toBeGreaterThan(0)
    expect(values.tissue).toBeLessThan(100)
  })

  it('are refused where the CT is of another', async () => {
    const inputs = { ct: await series('STS_002', 'CT'), pet: await series('STS_003', 'PET') }
    expect(await runPipeline({ inputs, providers: ['cpu'], threads: 1 }, pipeline)).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/^the images have another Frame of Reference than ct \(1\./),
    })
  })
})
