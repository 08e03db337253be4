/** Reference white D50, for which the Profile Connection Space of PS3.3 C.10.7.1.1 is defined. */
const white = [0.96422, 1, 0.82521] as const

/** Linear sRGB to XYZ relative to D50 (Bradford-adapted). */
const toXYZ = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
] as const

/**
 * An sRGB colour as Recommended Display CIELab Value: L* from 0 to 100 and a*, b* from -128 to 127, each scaled to 0 to 65535
 * (PS3.3 C.10.7.1.1).
 * @param rgb red, green, blue, 0 to 255
 */
export function cielab(rgb: readonly number[]): number[] {
  const linear = [0, 1, 2].map((channel) => {
    const value = Math.min(255, Math.max(0, rgb[channel] ?? 0)) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const [x = 0, y = 0, z = 0] = toXYZ.map((row, index) => {
    const sum = row[0] * (linear[0] ?? 0) + row[1] * (linear[1] ?? 0) + row[2] * (linear[2] ?? 0)
    const ratio = sum / (white[index] ?? 1)
    return ratio > 216 / 24389 ? Math.cbrt(ratio) : ((24389 / 27) * ratio + 16) / 116
  })
  const scaled = (value: number, low: number, high: number) =>
    Math.round(Math.min(1, Math.max(0, (value - low) / (high - low))) * 65535)
  return [scaled(116 * y - 16, 0, 100), scaled(500 * (x - y), -128, 127), scaled(200 * (y - z), -128, 127)]
}
