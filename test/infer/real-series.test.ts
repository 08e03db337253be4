import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData } from '../support/data.ts'
import { found, reasonOf, runOnFiles, values } from './phantom-task.ts'

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
    .map((entry) => path.join(entry.parentPath, entry.name))

const nlst = sharedData('ct-chest-nlst')
describe.skipIf(!nlst)('ct-lung-density on a chest CT of the NLST (needs ../shared/data)', () => {
  it('finds both lungs, of plausible size, without trachea and main bronchi', { timeout: 120_000 }, async () => {
    const folder = readdirSync(nlst ?? '.').find((name) => name.startsWith('CT_')) ?? ''
    const result = found(await runOnFiles(filesUnder(path.join(nlst ?? '', folder))))
    const measured = values(result)
    // Looked at by eye when this test was written; the values must not move without somebody looking again.
    expect(measured['volume-total']).toBeCloseTo(4.19, 1)
    expect(measured['volume-left']).toBeCloseTo(1.96, 1)
    expect(measured['volume-right']).toBeCloseTo(2.23, 1)
    expect(measured['mean-density-total']).toBeCloseTo(-901, -1)
    expect(result.log).toContainEqual(expect.stringMatching(/^trachea and main bronchi of [2-4]\d\.\d mL/))
  })
})

const abdomen = sharedData('ct-abdomen-crlm1004.tar.xz')
const pet = sharedData('pet-qin-headneck-0024.tar.xz')
describe.skipIf(!abdomen || !pet)('ct-lung-density on series that are no thin chest CT (needs ../shared/data)', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-series-'))
  beforeAll(() => {
    for (const archive of [abdomen, pet]) execFileSync('tar', ['-xJf', archive ?? '', '-C', folder])
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('refuses the CT of 5 mm by its declared limit, with the value', async () => {
    const reason = reasonOf(await runOnFiles(filesUnder(path.join(folder, 'ct_images_seg'))))
    expect(reason).toContain('Slice Thickness is 5 mm, at most 3 mm is accepted')
  })

  it('refuses a PET', async () => {
    expect(reasonOf(await runOnFiles(filesUnder(path.join(folder, 'rsna_2')).slice(0, 50)))).toMatch(
      /^Modality is (PT|SEG), CT is expected/,
    )
  })
})
