/**
 * Where windows begin along one axis: evenly spread, the first at the beginning and the last at the end, neighbours overlapping by at least the
 * wanted part. A window that is larger than the image lies around its middle.
 * @param multiple all begin at a multiple of this; the last may then go beyond the end
 */
export function windowStarts(size: number, window: number, overlap: number, multiple = 1): number[] {
  // Adding 0 makes no difference but for a negative zero.
  if (window >= size) return [-Math.floor((window - size) / 2) + 0]
  const last = Math.ceil((size - window) / multiple) * multiple
  const step = Math.max(multiple, Math.floor((window * (1 - overlap)) / multiple) * multiple)
  const count = Math.ceil(last / step)
  return Array.from({ length: count + 1 }, (_, at) => Math.round((at * last) / count / multiple) * multiple)
}

/**
 * Weights along one axis of a window: a Gaussian around its middle, as MONAI's; the product over the axes weighs a voxel.
 * @param sigma standard deviation, as a part of the window
 */
export function windowWeights(size: number, blend: 'gaussian' | 'constant', sigma: number): Float64Array {
  const middle = (size - 1) / 2
  return Float64Array.from({ length: size }, (_, at) =>
    // Never nothing: a voxel at the edge of the image is seen by one window only.
    blend === 'constant' ? 1 : Math.max(1e-4, Math.exp(-0.5 * ((at - middle) / (sigma * size)) ** 2)),
  )
}
