import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sharedData } from '../../support/data.ts'
import { type Opened, open, slice, writeInstance } from './instances.ts'

describe('a sequence', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-sequence-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Two slices at each of three phases, written in no order; a pixel is ten times its phase plus its slice. */
  const phases = (elements: (phase: number, z: number) => Record<string, unknown>, order = [1, 0, 2]): string[] =>
    order.flatMap((phase) =>
      [1, 0].map((z) =>
        writeInstance(
          folder,
          `${phase}-${z}`,
          slice(z, { Modality: 'MR', RescaleIntercept: '0', ...elements(phase, z) }),
          new Uint16Array(4).fill(phase * 10 + z),
        ),
      ),
    )
  const read = (files: string[], declared: Record<string, unknown>): Promise<Opened> =>
    open(files, { kind: 'sequence', modality: 'MR', ...declared })
  /** The first pixel of each plane, phase by phase. */
  const firsts = ({ image }: Opened): number[] =>
    Array.from({ length: 6 }, (_, plane) => image.data[plane * 4] as number)
  const inOrder = [0, 1, 10, 11, 20, 21]

  it.each([
    [
      'time',
      'Temporal Position Identifier and Acquisition Time',
      (phase: number) => ({
        TemporalPositionIdentifier: String(phase + 1),
        AcquisitionDate: '20240101',
        AcquisitionTime: `1000${String(phase * 7).padStart(2, '0')}`,
      }),
      [0, 7, 14],
    ],
    ['time', 'Trigger Time', (phase: number) => ({ TriggerTime: String(phase * 1500) }), [0, 1.5, 3]],
    [
      'time',
      'times beyond midnight',
      (phase: number) => ({ AcquisitionDateTime: ['20240101235950', '20240102000000.5', '20240102000011'][phase] }),
      [0, 10.5, 21],
    ],
    [
      'time',
      'Acquisition Number and Temporal Resolution',
      (phase: number) => ({ AcquisitionNumber: String(phase + 4), TemporalResolution: '2500' }),
      [0, 2.5, 5],
    ],
    ['cardiac-phase', 'Trigger Time', (phase: number) => ({ TriggerTime: String(phase * 40 + 20) }), [20, 60, 100]],
    ['b-value', 'Diffusion b-value', (phase: number) => ({ DiffusionBValue: [0, 400, 1000][phase] }), [0, 400, 1000]],
    ['echo', 'Echo Time', (phase: number) => ({ EchoTime: String([4.6, 9.2, 13.8][phase]) }), [4.6, 9.2, 13.8]],
  ] as const)('by %s is grouped by %s', async (by, _, elements, axis) => {
    const opened = await read(phases(elements), { by })
    expect(opened.image).toMatchObject({ channels: 3, grid: { size: [2, 2, 2] } })
    expect(firsts(opened)).toEqual(inOrder)
    expect(opened.axis).toEqual(axis)
    expect(opened.source.slices).toHaveLength(2)
  })

  it('keeps slices whose times differ within a volume together', async () => {
    // Slice by slice in turn, as 2D sequences are acquired: the second slice half a repetition later.
    const files = phases((phase, z) => ({ AcquisitionTime: `10000${phase * 2 + z}` }))
    const opened = await read(files, { by: 'time' })
    expect(firsts(opened)).toEqual(inOrder)
    expect(opened.axis).toEqual([0, 2, 4])
  })

  it('gathers volumes of several series, and is of the series of the first', async () => {
    const files = phases((phase) => ({ SeriesInstanceUID: `2.25.${50 - phase}`, AcquisitionTime: `10000${phase}` }))
    const opened = await read(files, { by: 'time' })
    expect(firsts(opened)).toEqual(inOrder)
    expect(opened.source.seriesInstanceUID).toBe('2.25.50')
  })

  it('tells directions of one b-value apart by what else differs', async () => {
    const files = phases((phase) => ({ DiffusionBValue: phase === 0 ? 0 : 800, InstanceNumber: String(phase) }))
    const opened = await read(files, { by: 'b-value' })
    expect(firsts(opened)).toEqual(inOrder)
    expect(opened.axis).toEqual([0, 800, 800])
  })

  it.each([
    ['volumes that nothing tells apart', () => ({}), 'b-value', 'cannot be told apart by Diffusion b-value'],
    [
      'volumes without times',
      (phase: number) => ({ AcquisitionNumber: String(phase) }),
      'time',
      'the times of the volumes are not known',
    ],
    [
      'b-values that differ within a volume',
      (phase: number, z: number) => ({ DiffusionBValue: phase * 400 + z * 100 }),
      'b-value',
      'differ in Diffusion b-value: 0 to 100',
    ],
  ] as const)('refuses %s', async (_, elements, by, message) => {
    await expect(read(phases(elements), { by })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(message),
    })
  })

  it('refuses an incomplete sequence, too few volumes and other limits, with the value', async () => {
    const files = phases((phase) => ({ TriggerTime: String(phase * 100) }))
    await expect(read(files.slice(1), { by: 'time' })).rejects.toThrow(
      /incomplete: 1 of 2 places have [23] images, the others [23]/,
    )
    await expect(read(files, { by: 'time', phases: { minimum: 5 } })).rejects.toThrow(
      'the number of volumes is 3, at least 5 is expected',
    )
    await expect(read(files.slice(0, 2), { by: 'time' })).rejects.toThrow('the number of volumes is 1, at least 2')
  })
})

const prostate = sharedData('mr-prostate-prostatex0207')
describe.skipIf(!prostate)('sequences of a prostate MR (needs ../shared/data)', () => {
  const filesOf = (part: string): string[] =>
    readdirSync(prostate ?? '')
      .filter((name) => name.includes(part))
      .flatMap((name) =>
        readdirSync(path.join(prostate ?? '', name)).map((file) => path.join(prostate ?? '', name, file)),
      )
      .filter((file) => file.endsWith('.dcm'))

  it('puts the dynamic series, four series of one phase each, in the order of their times', async () => {
    const { image, axis, grid } = await open(filesOf('tfl-dyn'), { kind: 'sequence', modality: 'MR', by: 'time' })
    expect(image.channels).toBe(4)
    expect(grid.size).toEqual([128, 128, 16])
    expect(axis).toEqual([0, 3.385, 6.77, 10.1525])
  })

  it('tells the b-values of a diffusion series apart by the private element of its maker', async () => {
    const { image, axis } = await open(filesOf('DYNDIST_44'), { kind: 'sequence', modality: 'MR', by: 'b-value' })
    expect(axis).toEqual([50, 400, 800])
    // Signal falls with diffusion weighting.
    const voxels = image.data.length / 3
    const mean = (b: number): number =>
      Array.from(image.data.subarray(b * voxels, (b + 1) * voxels)).reduce((s, v) => s + v, 0)
    expect(mean(0)).toBeGreaterThan(mean(1))
    expect(mean(1)).toBeGreaterThan(mean(2))
  })

  it('refuses them as one volume', async () => {
    await expect(open(filesOf('DYNDIST_44'), { kind: 'volume', modality: 'MR' })).rejects.toThrow(/share a position/)
  })
})

const philips = sharedData('modalities', 'mr-enhanced', 'In', 'Philips', 'IM_0027_fMAP.dcm')
describe.skipIf(!philips)('a sequence in one enhanced object (needs ../shared/data)', () => {
  it('is grouped by its functional groups', async () => {
    const { image, axis } = await open([philips ?? ''], { kind: 'sequence', modality: 'MR', by: 'echo' })
    expect(image).toMatchObject({ channels: 2, grid: { size: [64, 64, 32] } })
    expect(axis?.[1]).toBeCloseTo(1.52, 2)
  })
})
