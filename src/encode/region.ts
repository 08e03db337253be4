/**
 * A place on an image, in pixels from the top left corner of its first pixel, column before row (PS3.3 C.18.6.1.2, C.10.5.1.2): the
 * centre of the first pixel is 0.5, 0.5.
 */
export type Region =
  | { kind: 'box'; left: number; top: number; right: number; bottom: number }
  | { kind: 'point'; column: number; row: number }
  /** Column, row pairs. */
  | { kind: 'points'; points: readonly number[] }
  /** Column, row pairs; closed whether or not the last equals the first. */
  | { kind: 'contour'; points: readonly number[] }
  /** Column, row pairs: a diameter, a path. */
  | { kind: 'line'; points: readonly number[] }

/** Graphic type and data as SR and presentation states have them. */
export interface Graphic {
  type: 'POINT' | 'MULTIPOINT' | 'POLYLINE'
  data: number[]
}

/** The graphic that draws a region. Boxes and contours are closed polylines. */
export function graphicOf(region: Region): Graphic {
  switch (region.kind) {
    case 'box': {
      const { left, top, right, bottom } = region
      return { type: 'POLYLINE', data: [left, top, right, top, right, bottom, left, bottom, left, top] }
    }
    case 'point':
      return { type: 'POINT', data: [region.column, region.row] }
    case 'points':
      return { type: region.points.length === 2 ? 'POINT' : 'MULTIPOINT', data: [...region.points] }
    case 'contour':
      return { type: 'POLYLINE', data: closed(region.points) }
    case 'line':
      return { type: 'POLYLINE', data: [...region.points] }
  }
}

function closed(points: readonly number[]): number[] {
  const same = points[0] === points[points.length - 2] && points[1] === points[points.length - 1]
  return same ? [...points] : [...points, ...points.slice(0, 2)]
}
