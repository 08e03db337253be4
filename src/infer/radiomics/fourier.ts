/** A complex field of up to three dimensions, each a power of two long; the first index runs fastest. */
export interface ComplexField {
  size: readonly [number, number, number]
  re: Float32Array
  im: Float32Array
}

/** The smallest power of two that is not less than `length`. */
export function powerOfTwo(length: number): number {
  let power = 1
  while (power < length) power *= 2
  return power
}

/** Zeros everywhere. */
export function complexField(size: readonly [number, number, number]): ComplexField {
  const voxels = size[0] * size[1] * size[2]
  return { size, re: new Float32Array(voxels), im: new Float32Array(voxels) }
}

/** How many neighbouring lines are transformed together: they share the roots of unity and the cache. */
const chunk = 32

/**
 * The discrete Fourier transform along all dimensions, in place; the inverse is not divided by the number of points.
 * Radix 2, single precision: relative errors stay near 1e-6.
 */
export function fourierTransform(field: ComplexField, direction: 'forward' | 'inverse'): void {
  const { size, re, im } = field
  const sign = direction === 'forward' ? -1 : 1
  transformFirstAxis(field, sign)
  for (const axis of [1, 2] as const) {
    const length = size[axis]
    if (length === 1) continue
    const roots = rootsOfUnity(length, sign)
    const stride = axis === 1 ? size[0] : size[0] * size[1]
    const blocks = re.length / (stride * length)
    for (let block = 0; block < blocks; block++)
      for (let from = 0; from < stride; from += chunk)
        butterflies(
          { re, im, base: block * stride * length + from, stride, width: Math.min(chunk, stride - from) },
          roots,
        )
  }
}

/** Lines along the first axis, some together, through a scratch where they lie side by side. */
function transformFirstAxis({ size, re, im }: ComplexField, sign: number): void {
  const length = size[0]
  if (length === 1) return
  const roots = rootsOfUnity(length, sign)
  const scratchRe = new Float32Array(length * chunk)
  const scratchIm = new Float32Array(length * chunk)
  const lines = re.length / length
  for (let first = 0; first < lines; first += chunk) {
    const width = Math.min(chunk, lines - first)
    for (let line = 0; line < width; line++)
      for (let i = 0, at = (first + line) * length; i < length; i++, at++) {
        scratchRe[i * width + line] = re[at] as number
        scratchIm[i * width + line] = im[at] as number
      }
    butterflies({ re: scratchRe, im: scratchIm, base: 0, stride: width, width }, roots)
    for (let line = 0; line < width; line++)
      for (let i = 0, at = (first + line) * length; i < length; i++, at++) {
        re[at] = scratchRe[i * width + line] as number
        im[at] = scratchIm[i * width + line] as number
      }
  }
}

interface Roots {
  cos: Float64Array
  sin: Float64Array
  length: number
}

function rootsOfUnity(length: number, sign: number): Roots {
  const cos = new Float64Array(length / 2)
  const sin = new Float64Array(length / 2)
  for (let i = 0; i < cos.length; i++) {
    cos[i] = Math.cos((2 * Math.PI * i) / length)
    sin[i] = sign * Math.sin((2 * Math.PI * i) / length)
  }
  return { cos, sin, length }
}

/** Lines side by side: element j of all of them begins at `base + j * stride` and is `width` long. */
interface Lines {
  re: Float32Array
  im: Float32Array
  base: number
  stride: number
  width: number
}

function butterflies(lines: Lines, { cos, sin, length }: Roots): void {
  const { re, im, base, stride, width } = lines
  reverseBits(lines, length)
  for (let half = 1; half < length; half *= 2) {
    const step = length / (2 * half)
    for (let start = 0; start < length; start += 2 * half)
      for (let k = 0; k < half; k++) {
        const c = cos[k * step] as number
        const s = sin[k * step] as number
        let a = base + (start + k) * stride
        let b = a + half * stride
        for (const end = a + width; a < end; a++, b++) {
          const bRe = re[b] as number
          const bIm = im[b] as number
          const tRe = bRe * c - bIm * s
          const tIm = bRe * s + bIm * c
          const aRe = re[a] as number
          const aIm = im[a] as number
          re[b] = aRe - tRe
          im[b] = aIm - tIm
          re[a] = aRe + tRe
          im[a] = aIm + tIm
        }
      }
  }
}

function reverseBits({ re, im, base, stride, width }: Lines, length: number): void {
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    for (let w = 0, a = base + i * stride, b = base + j * stride; w < width; w++, a++, b++) {
      const swapRe = re[a] as number
      re[a] = re[b] as number
      re[b] = swapRe
      const swapIm = im[a] as number
      im[a] = im[b] as number
      im[b] = swapIm
    }
  }
}
