import { beforeAll, describe, expect, it } from 'vitest'
import { transferSyntax } from '../../src/dicom/transfer-syntax.ts'
import type { Inference } from '../../src/infer/inference.ts'
import { chestPhantom } from '../support/phantom.ts'
import { found, losslessSyntaxes, reasonOf, runOnPhantom, smallPhantom, values } from './phantom-task.ts'

describe('ct-lung-density on a phantom of known geometry', () => {
  const phantom = smallPhantom()
  let result: Inference
  beforeAll(async () => {
    result = found(await runOnPhantom(phantom))
  })

  it('measures each lung within 1 % of its analytic volume', () => {
    const { 'volume-left': left, 'volume-right': right, 'volume-total': total } = values(result)
    const { volumes } = phantom.truth
    expect(Math.abs((left ?? 0) / volumes.left - 1)).toBeLessThan(0.01)
    expect(Math.abs((right ?? 0) / volumes.right - 1)).toBeLessThan(0.01)
    expect(total).toBeCloseTo((left ?? 0) + (right ?? 0), 12)
  })

  it('measures LAA-950 within 0.5 points, and densities as they were made', () => {
    const measured = values(result)
    for (const id of ['laa950-total', 'laa950-left', 'laa950-right'])
      expect(Math.abs((measured[id] ?? 0) - phantom.truth.laa950)).toBeLessThan(0.5)
    // 12.5 % at -985 HU, the rest at -860 HU.
    expect(measured['mean-density-total']).toBeCloseTo(-860 - 125 * 0.125, 0)
    // The lowest 2.5 of 87.5 parts of noise of 12 HU around -860 HU: about 1.9 standard deviations below.
    expect(measured['perc15-total']).toBeGreaterThan(-890)
    expect(measured['perc15-total']).toBeLessThan(-878)
  })

  it('knows left from right by the patient, and gives masks on the grid of the source', () => {
    const [left, right] = result.segments
    expect([left?.id, left?.number, right?.id, right?.number]).toEqual(['left-lung', 1, 'right-lung', 2])
    const columnsOf = (mask: Uint8Array | null | undefined): number[] =>
      [...(mask ?? [])].flatMap((value, i) => (value ? [i % phantom.columns] : []))
    const middle = phantom.slices / 2
    // In an axial image the patient's left is on the right hand.
    expect(Math.min(...columnsOf(left?.maskOf(middle)))).toBeGreaterThan(phantom.columns / 2)
    expect(Math.max(...columnsOf(right?.maskOf(middle)))).toBeLessThan(phantom.columns / 2)
    expect(left?.maskOf(0)).toBeNull()
    expect(Math.abs((left?.bestSlice ?? 0) - middle)).toBeLessThan(6)
    let voxels = 0
    for (let z = 0; z < phantom.slices; z++) voxels += left?.maskOf(z)?.reduce((sum, v) => sum + v, 0) ?? 0
    expect(voxels).toBe(left?.voxels)
  })

  it('keeps trachea and table out', () => {
    for (const segment of result.segments) {
      const mask = segment.maskOf(Math.round(phantom.slices * 0.75))
      const centre = Math.round(phantom.rows / 2 + 22 / phantom.spacing.row) * phantom.columns + phantom.columns / 2
      expect(mask?.[centre]).toBe(0)
      expect(mask?.subarray(Math.round(phantom.rows * 0.84) * phantom.columns).includes(1)).toBe(false)
    }
    expect(result.log.some((line) => line.startsWith('trachea and large bronchi'))).toBe(true)
  })

  it.each([
    ['reversed slices', { reversed: true }],
    ['sagittal slices', { orientation: 'sagittal' }],
    ['coronal slices, reversed', { orientation: 'coronal', reversed: true }],
  ] as const)('gives exactly the same values for %s', async (_, options) => {
    const other = found(await runOnPhantom(phantom, options))
    expect(values(other)).toEqual(values(result))
    expect(other.segments.map((s) => s.voxels)).toEqual(result.segments.map((s) => s.voxels))
  })

  it('puts the masks of sagittal slices where the lungs are', async () => {
    const sagittal = found(await runOnPhantom(phantom, { orientation: 'sagittal' }))
    const { slices, rows, columns } = sagittal.source
    expect([rows, columns, slices.length]).toEqual([phantom.slices, phantom.rows, phantom.columns])
    // Sorted along the normal, which points to the patient's right.
    expect(slices[0]?.imagePositionPatient?.[0]).toBeGreaterThan(0)
    const left = sagittal.segments[0]
    const axialMask = result.segments[0]?.maskOf(60)
    for (const column of [110, 130, 150]) {
      const mask = left?.maskOf(phantom.columns - 1 - column)
      for (let y = 0; y < phantom.rows; y++)
        expect(mask?.[(phantom.slices - 1 - 60) * columns + y]).toBe(axialMask?.[y * phantom.columns + column])
    }
  })

  it.each(losslessSyntaxes.map((uid) => [transferSyntax(uid).name, uid] as const))(
    'gives exactly the same values for %s',
    async (_, transferSyntaxUID) => {
      expect(values(found(await runOnPhantom(phantom, { transferSyntaxUID })))).toEqual(values(result))
    },
  )

  it('separates lungs that touch', async () => {
    const joined = chestPhantom({ slices: 110, rows: 192, columns: 192, joined: true })
    const separated = found(await runOnPhantom(joined))
    expect(separated.log).toContainEqual(expect.stringMatching(/^the lungs were joined/))
    for (const id of ['volume-left', 'volume-right'])
      expect(Math.abs((values(separated)[id] ?? 0) / (values(result)[id] ?? 1) - 1)).toBeLessThan(0.01)
  })
})

describe('ct-lung-density refuses, with the value and the limit,', () => {
  const small = chestPhantom({ slices: 100, rows: 128, columns: 128 })

  it.each([
    ['thick slices', { SliceThickness: '5' }, 'Slice Thickness is 5 mm, at most 3 mm is accepted'],
    [
      'a contrast agent',
      { ContrastBolusAgent: 'OMNIPAQUE 300' },
      'Contrast/Bolus Agent is OMNIPAQUE 300, a scan without',
    ],
    ['another modality', { Modality: 'MR' }, 'Modality is MR, CT is expected'],
    [
      'values that are no Hounsfield units',
      { RescaleType: 'OD' },
      'the pixel values are rescaled to OD, HU is expected',
    ],
    ['values without rescale', { RescaleSlope: undefined }, 'no Rescale Slope'],
    ['slices without a place', { ImagePositionPatient: undefined }, 'a slice has no Image Position (Patient)'],
  ])('%s', async (_, elements, reason) => {
    expect(reasonOf(await runOnPhantom(small, { elements }))).toContain(reason)
  })

  it('every limit that is broken, each once', async () => {
    const elements = { SliceThickness: '5', ContrastBolusAgent: 'ORAL' }
    expect(reasonOf(await runOnPhantom(small, { elements }))).toBe(
      'Slice Thickness is 5 mm, at most 3 mm is accepted; Contrast/Bolus Agent is ORAL, a scan without contrast agent is expected',
    )
  })

  it('does not repeat free text that is no agent', async () => {
    const reason = reasonOf(
      await runOnPhantom(small, { elements: { ContrastBolusAgent: 'given to Mr. X, 4 pm; see note' } }),
    )
    expect(reason).toBe('Contrast/Bolus Agent is given, a scan without contrast agent is expected')
  })

  it.each(['NONE', 'no', ''])('but accepts the contrast agent "%s"', async (ContrastBolusAgent) => {
    expect(found(await runOnPhantom(small, { elements: { ContrastBolusAgent } })).segments).toHaveLength(2)
  })

  it('a series with slices missing', async () => {
    expect(reasonOf(await runOnPhantom(small, { without: [40, 41] }))).toMatch(/^2 slices are missing: 1 gaps/)
  })

  it('too few slices', async () => {
    const few = chestPhantom({ slices: 30, rows: 64, columns: 64, spacing: { row: 2.9, column: 2.9, slice: 3 } })
    expect(reasonOf(await runOnPhantom(few))).toBe('the number of slices is 30, at least 40 is expected')
  })

  it('a body without lungs', async () => {
    const solid = chestPhantom({ slices: 100, rows: 128, columns: 128, solid: true })
    expect(reasonOf(await runOnPhantom(solid))).toMatch(
      /^no lungs: the largest air component inside the body is 0\.0\d L, at least 0\.5 L/,
    )
  })

  it('a scan that ends in the middle of the lungs', async () => {
    const without = Array.from({ length: 45 }, (_, i) => i)
    expect(reasonOf(await runOnPhantom(small, { without }))).toMatch(
      /^the scan cuts the lungs off: its lowest slice shows \d+ cm²/,
    )
  })
})
