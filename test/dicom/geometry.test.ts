import { describe, expect, it } from 'vitest'
import { canonicalGrid, type ImagePlane, type Stack, sortSlices, type Vector } from '../../src/dicom/geometry.ts'

const axial = [1, 0, 0, 0, 1, 0]

function plane(position: Vector, options: Partial<ImagePlane> = {}): ImagePlane {
  return {
    imagePositionPatient: position,
    imageOrientationPatient: axial,
    rows: 4,
    columns: 6,
    pixelSpacing: [0.7, 0.7],
    ...options,
  }
}

function planes(positions: readonly number[], options: Partial<ImagePlane> = {}): ImagePlane[] {
  return positions.map((z) => plane([-100, -120, z], options))
}

function stackOf(list: readonly ImagePlane[]): Stack {
  const stack = sortSlices(list)
  if (stack.kind === 'problem') throw new Error(stack.reason)
  return stack
}

function problemOf(list: readonly ImagePlane[]): { code: string; reason: string } {
  const stack = sortSlices(list)
  if (stack.kind !== 'problem') throw new Error('a problem was expected')
  return stack
}

describe('sortSlices', () => {
  it('orders slices by their position, whatever order they come in', () => {
    const stack = stackOf(planes([10, 0, 5, 15]))
    expect(stack.order).toEqual([1, 2, 0, 3])
    expect(stack.sliceSpacing).toBe(5)
    expect(stack.origin).toEqual([-100, -120, 0])
  })

  it('orders sagittal slices along their own normal', () => {
    const sagittal = { imageOrientationPatient: [0, 1, 0, 0, 0, -1] }
    const stack = stackOf([0, 2, 1].map((x) => plane([x, 0, 0], sagittal)))
    expect(stack.normal.map((v) => Math.round(v) + 0)).toEqual([-1, 0, 0])
    expect(stack.order).toEqual([1, 2, 0])
  })

  it('takes positions that were rounded to a tenth of a millimetre for even', () => {
    const positions = Array.from({ length: 100 }, (_, i) => Math.round(i * 6.25) / 10)
    expect(stackOf(planes(positions)).sliceSpacing).toBeCloseTo(0.625, 3)
  })

  it('names missing slices with their number and place', () => {
    const problem = problemOf(planes([0, 2, 4, 6, 12, 14, 16, 18]))
    expect(problem.code).toBe('missing-slices')
    expect(problem.reason).toContain('2 slices are missing')
    expect(problem.reason).toContain('6 mm after position 6 mm')
  })

  it('refuses two slices at one position', () => {
    expect(problemOf(planes([0, 2, 4, 4, 6])).code).toBe('duplicate-positions')
  })

  it('refuses spacing that changes, with the spacings', () => {
    const problem = problemOf(planes([0, 1, 2, 3, 5, 7, 9]))
    expect(problem.code).toBe('irregular-spacing')
    expect(problem.reason).toContain('from 1 mm to 2 mm')
  })

  it('refuses slices that a tilted gantry has sheared, with the angle', () => {
    const sheared = [0, 1, 2, 3].map((i) => plane([0, i * Math.tan((12 * Math.PI) / 180), i]))
    const problem = problemOf(sheared)
    expect(problem.code).toBe('gantry-tilt')
    expect(problem.reason).toContain('12.0°')
  })

  it('accepts tilted slices that are stacked along their normal', () => {
    const angle = (15 * Math.PI) / 180
    const orientation = [1, 0, 0, 0, Math.cos(angle), Math.sin(angle)]
    const list = [0, 3, 6].map((d) =>
      plane([0, -d * Math.sin(angle), d * Math.cos(angle)], { imageOrientationPatient: orientation }),
    )
    const stack = stackOf(list)
    expect(stack.sliceSpacing).toBeCloseTo(3, 9)
    expect(canonicalGrid(stack, 3).obliquity).toBeCloseTo(15, 6)
  })

  it('refuses a slice that stands sideways of the others', () => {
    const list = planes([0, 1, 2, 3, 4])
    list[2] = plane([-80, -120, 2])
    expect(problemOf(list)).toMatchObject({ code: 'irregular-spacing', reason: expect.stringContaining('20 mm') })
  })

  it.each([
    ['mixed-orientations', { imageOrientationPatient: [0, 1, 0, 0, 0, -1] }, '1 of 0\\1\\0\\0\\0\\-1'],
    ['mixed-sizes', { rows: 8 }, '1 of 6x8'],
    ['mixed-spacings', { pixelSpacing: [0.8, 0.8] as const }, '1 of 0.8\\0.8 mm'],
  ])('names %s with counts and values', (code, other, words) => {
    const problem = problemOf([...planes([0, 1, 2]), plane([-100, -120, 3], other)])
    expect(problem.code).toBe(code)
    expect(problem.reason).toContain('3 of ')
    expect(problem.reason).toContain(words)
  })

  it.each([[[1, 0, 0, 1, 0, 0]], [[1, 0, 0]], [[0, 0, 0, 0, 0, 0]], [[2, 0, 0, 0, 1, 0]]])(
    'refuses the orientation %j',
    (orientation) => {
      expect(problemOf(planes([0, 1], { imageOrientationPatient: orientation })).code).toBe('invalid-orientation')
    },
  )

  it('refuses one slice, and none', () => {
    expect(problemOf(planes([0])).code).toBe('too-few-slices')
    expect(problemOf([]).code).toBe('too-few-slices')
  })
})

describe('canonicalGrid', () => {
  /** Fills a canonical array from a stack whose voxel values are a function of the place in the patient. */
  function canonicalValues(list: readonly ImagePlane[]): {
    values: number[]
    size: Vector
    spacing: Vector
    origin: Vector
  } {
    const stack = stackOf(list)
    const grid = canonicalGrid(stack, list.length)
    const values = Array.from({ length: grid.size[0] * grid.size[1] * grid.size[2] }, () => Number.NaN)
    for (const [s, index] of stack.order.entries()) {
      const position = (list[index] as ImagePlane).imagePositionPatient
      for (let r = 0; r < stack.rows; r++)
        for (let c = 0; c < stack.columns; c++) {
          const at = [0, 1, 2].map(
            (axis) =>
              (position[axis] as number) +
              (stack.row[axis] as number) * c * stack.pixelSpacing[1] +
              (stack.column[axis] as number) * r * stack.pixelSpacing[0],
          )
          values[grid.start + s * grid.steps.slice + r * grid.steps.row + c * grid.steps.column] = Math.round(
            (at[0] as number) * 10000 + (at[1] as number) * 100 + (at[2] as number),
          )
        }
    }
    return { values, size: grid.size, spacing: grid.spacing, origin: grid.origin }
  }

  // 3 voxels of 1 mm to the left, 4 of 2 mm to the back, 5 of 3 mm to the head.
  const along = (n: number, step: number): number[] => Array.from({ length: n }, (_, i) => i * step)
  const expected = canonicalValues(
    along(5, 3).map((z) => plane([0, 0, z], { rows: 4, columns: 3, pixelSpacing: [2, 1] })),
  )
  const orientations: [string, ImagePlane[]][] = [
    [
      'reversed axial',
      along(5, 3)
        .reverse()
        .map((z) => plane([0, 0, z], { rows: 4, columns: 3, pixelSpacing: [2, 1] })),
    ],
    [
      'feet-first axial',
      along(5, 3).map((z) =>
        plane([2, 0, z], { rows: 4, columns: 3, pixelSpacing: [2, 1], imageOrientationPatient: [-1, 0, 0, 0, 1, 0] }),
      ),
    ],
    [
      'prone axial',
      along(5, 3).map((z) =>
        plane([2, 6, z], { rows: 4, columns: 3, pixelSpacing: [2, 1], imageOrientationPatient: [-1, 0, 0, 0, -1, 0] }),
      ),
    ],
    [
      'sagittal',
      along(3, 1).map((x) =>
        plane([x, 0, 12], { rows: 5, columns: 4, pixelSpacing: [3, 2], imageOrientationPatient: [0, 1, 0, 0, 0, -1] }),
      ),
    ],
    [
      'coronal',
      along(4, 2).map((y) =>
        plane([0, y, 12], { rows: 5, columns: 3, pixelSpacing: [3, 1], imageOrientationPatient: [1, 0, 0, 0, 0, -1] }),
      ),
    ],
  ]

  it('leaves nothing out', () => {
    expect(expected.size).toEqual([3, 4, 5])
    expect(expected.values).not.toContain(Number.NaN)
  })

  it.each(orientations)('makes the same array of a %s stack of the same voxels', (_, list) => {
    expect(canonicalValues(list)).toEqual(expected)
  })
})
