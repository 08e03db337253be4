import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Inference } from '../../src/infer/inference.ts'
import { sharedData } from '../support/data.ts'
import { found, reasonOf, runOnFiles, values } from './phantom-task.ts'

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
    .map((entry) => path.join(entry.parentPath, entry.name))

const nlst = sharedData('ct-chest-nlst')
describe.skipIf(!nlst)('ct-lung-density on a chest CT of the NLST (needs ../shared/data)', () => {
  // 143 axial slices from the feet up: slice 84 is instance 59.
  const instance = (number: number): number => 143 - number
  let result: Inference
  beforeAll(async () => {
    const folder = readdirSync(nlst ?? '.').find((name) => name.startsWith('CT_')) ?? ''
    result = found(await runOnFiles(filesUnder(path.join(nlst ?? '', folder))))
  }, 120_000)

  it('finds both lungs, of plausible size, without trachea and large bronchi', () => {
    const measured = values(result)
    // Looked at by eye when this test was written; the values must not move without somebody looking again.
    expect(measured['volume-total']).toBeCloseTo(4.185, 2)
    expect(measured['volume-left']).toBeCloseTo(1.954, 2)
    expect(measured['volume-right']).toBeCloseTo(2.231, 2)
    expect(measured['mean-density-total']).toBeCloseTo(-902, 0)
    expect(result.log).toContainEqual(expect.stringMatching(/^trachea and large bronchi of 2\d\.\d mL/))
  })

  it.each([
    ['the left main bronchus', 59, 299, 289],
    ['the left upper lobe bronchus, where it leaves the main one', 59, 322, 284],
    ['the left lower lobe bronchus', 63, 305, 297],
    ['the right main bronchus', 59, 211, 281],
  ])('leaves %s out of both lungs', (_, number, column, row) => {
    for (const { maskOf } of result.segments) expect(maskOf(instance(number))?.[row * 512 + column]).toBe(0)
  })

  it('ends at the apex where the air ends', () => {
    const [left, right] = result.segments
    // Above, streaks from the shoulders leave grains of air in soft tissue.
    expect([6, 5].map((number) => left?.maskOf(instance(number)))).toEqual([null, null])
    expect(left?.maskOf(instance(7))).not.toBeNull()
    expect([7, 6].map((number) => right?.maskOf(instance(number)))).toEqual([null, null])
    expect(right?.maskOf(instance(8))).not.toBeNull()
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
