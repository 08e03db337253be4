import type { Colour } from './picture.ts'

/**
 * Colours from low to high, evenly spaced. `hot` grows brighter all the way, so that it can be read without colours; `blue-red` has
 * white in its middle, for values on both sides of a neutral one.
 */
const stops = {
  hot: [
    [0, 0, 0],
    [128, 0, 0],
    [230, 60, 0],
    [255, 170, 0],
    [255, 255, 190],
  ],
  'blue-red': [
    [30, 60, 200],
    [140, 170, 240],
    [245, 245, 245],
    [240, 150, 130],
    [200, 30, 30],
  ],
} as const

export type ColourMapName = keyof typeof stops

/** 256 colours, three bytes each. */
export function colourTable(name: ColourMapName): Uint8Array {
  const colours: readonly Colour[] = stops[name]
  const table = new Uint8Array(256 * 3)
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (colours.length - 1)
    const below = Math.min(colours.length - 2, Math.floor(place))
    for (let channel = 0; channel < 3; channel++) {
      const from = colours[below]?.[channel] ?? 0
      const to = colours[below + 1]?.[channel] ?? 0
      table[i * 3 + channel] = Math.round(from + (to - from) * (place - below))
    }
  }
  return table
}
