/** Axis of the grid of a letter of a layout: columns, rows, slices. */
const axisOf: Readonly<Record<string, 0 | 1 | 2>> = { W: 0, X: 0, H: 1, Y: 1, D: 2, Z: 2 }

/** The grid's axes in the order in which a layout has them. */
export function axesOf(layout: string): (0 | 1 | 2)[] {
  return layout.split('').flatMap((letter) => axisOf[letter] ?? [])
}

/** Numbers that stand in the order of a layout's dimensions as columns, rows and slices; axes that the layout lacks get `otherwise`. */
export function inGridOrder<Other>(layout: string, given: readonly number[], otherwise: Other): (number | Other)[] {
  const result: (number | Other)[] = [otherwise, otherwise, otherwise]
  for (const [at, axis] of axesOf(layout).entries()) result[axis] = given[at] ?? otherwise
  return result
}
