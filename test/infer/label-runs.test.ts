import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forEachLabelRun, mapLabels } from '../../src/infer/label-runs.ts'

/** Labels in stretches, and in memory that begins anywhere. */
const maps = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(0, 0, 1, 2, 255), fc.integer({ min: 1, max: 21 }))),
    fc.integer({ max: 3, min: 0 }),
  )
  .map(([runs, shift]) => {
    const labels = runs.flatMap(([label, length]) => Array.from({ length }, () => label))
    const memory = new Uint8Array(labels.length + shift).fill(7)
    memory.set(labels, shift)
    return memory.subarray(shift)
  })

/** Runs one voxel after the other. */
function plainRuns(labels: Uint8Array, row: number): number[][] {
  const runs: number[][] = []
  for (const [i, label] of labels.entries()) {
    const last = runs.at(-1)
    if (last && last[0] === label && last[2] === i && i % row !== 0) last[2] = i + 1
    else if (label !== 0) runs.push([label, i, i + 1])
  }
  return runs
}

function runsOf(labels: Uint8Array, range?: { from?: number; to?: number; row?: number }): number[][] {
  const runs: number[][] = []
  forEachLabelRun(labels, (label, start, end) => runs.push([label, start, end]), range)
  return runs
}

describe('runs of labels', () => {
  it('are those that a look at every voxel finds', () => {
    fc.assert(
      fc.property(maps, (labels) => {
        expect(runsOf(labels)).toEqual(plainRuns(labels, labels.length + 1))
      }),
    )
  })

  it('end with their row', () => {
    const rows = fc.tuple(maps, fc.integer({ min: 1, max: 9 }))
    fc.assert(
      fc.property(rows, ([given, row]) => {
        const labels = given.subarray(0, given.length - (given.length % row))
        expect(runsOf(labels, { row })).toEqual(plainRuns(labels, row))
      }),
    )
  })

  it('stay within a range', () => {
    const labels = new Uint8Array(40).fill(3)
    expect(runsOf(labels, { from: 5, to: 31 })).toEqual([[3, 5, 31]])
  })

  it('are replaced by what a table has for them', () => {
    const table = Uint8Array.from({ length: 256 }, (_, label) => (label === 0 ? 0 : 255 - label))
    const other = table.with(0, 9)
    fc.assert(
      fc.property(maps, (labels) => {
        for (const to of [table, other]) {
          const mapped = labels.slice()
          mapLabels(mapped, to)
          expect(mapped).toEqual(labels.map((label) => to[label] as number))
        }
      }),
    )
  })
})
