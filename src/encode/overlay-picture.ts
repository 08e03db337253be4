import { type ColourMapName, colourTable } from './colour-map.ts'
import type { SegmentMasks } from './encoding-input.ts'
import {
  blankPicture,
  type Colour,
  drawText,
  fillRectangle,
  fittingText,
  type Picture,
  type Rectangle,
  textWidth,
} from './picture.ts'

/** Values over the image, with the colours that they are shown in. */
export interface HeatMap {
  /** ASCII, for the legend. */
  name: string
  /** As people write it; empty for none. */
  unit: string
  /** Values of the first and last colour. Values at or below the first are not drawn, so that the image stays visible. */
  range: readonly [number, number]
  colours?: ColourMapName
  /** `rows` x `columns`; null where there is nothing to show. */
  valuesOf: (sliceIndex: number) => Float32Array | null
}

/** What is drawn over the images of a series. */
export interface Overlay {
  /** Values to show as grey, `rows` x `columns`. */
  greyOf: (sliceIndex: number) => ArrayLike<number>
  /** Values from black to white; `inverted` from white to black (MONOCHROME1). */
  window: { center: number; width: number; inverted?: boolean }
  segments?: readonly SegmentMasks[]
  heatMap?: HeatMap
  /** How much of the colour is seen, 0 to 1; 0.4 when left out. */
  opacity?: number
}

export interface PictureFrame {
  rows: number
  columns: number
  /** Height of a pixel by its width. */
  aspect: number
  /** Lines above the image. */
  headings: readonly string[]
  /** Lines of the legend. */
  notes: readonly string[]
}

/** Small images are enlarged to about this many pixels, so that text of a readable size fits beside them. */
const leastSize = 512

const white: Colour = [255, 255, 255]
const warning: Colour = [255, 210, 0]
const panel: Colour = [24, 24, 24]

/** Where everything goes; the same for all pictures of a series, whose size it gives. */
export interface Layout {
  width: number
  height: number
  image: Rectangle
  /** Pixels a dot of the font, and a line of text. */
  scale: number
  line: number
}

/** Finds the size of the pictures: the image, a heading above, the legend below. */
export function layoutOf(frame: PictureFrame, overlay: Overlay): Layout {
  const zoom = Math.max(1, Math.ceil(leastSize / Math.max(frame.columns, frame.rows)))
  const width = Math.max(frame.columns * zoom, leastSize / 2)
  const imageWidth = frame.columns * zoom
  const imageHeight = Math.max(1, Math.round(frame.rows * zoom * frame.aspect))
  const scale = Math.max(1, Math.round(width / 320))
  const line = scale * 10
  const top = line * (frame.headings.length + 0.5)
  const lines = frame.notes.length + (overlay.segments?.length ?? 0) + (overlay.heatMap ? 3 : 0)
  return {
    width,
    height: top + imageHeight + line * (lines + 1),
    image: { x: Math.floor((width - imageWidth) / 2), y: top, width: imageWidth, height: imageHeight },
    scale,
    line,
  }
}

/** Draws a slice: grey values through the window, segments and heat map blended over them, and the legend. */
export function overlayPicture(
  overlay: Overlay,
  sliceIndex: number,
  { frame, layout }: { frame: PictureFrame; layout: Layout },
): Picture {
  const picture = blankPicture(layout.width, layout.height)
  const colours = blended(overlay, sliceIndex, frame)
  enlarge(picture, colours, { frame, place: layout.image })
  drawLegend(picture, overlay, { frame, layout })
  return picture
}

/** The slice in its own size, three bytes a pixel. */
function blended(overlay: Overlay, sliceIndex: number, { rows, columns }: PictureFrame): Uint8Array {
  const pixels = rows * columns
  const rgb = new Uint8Array(pixels * 3)
  const grey = overlay.greyOf(sliceIndex)
  const { center, width, inverted = false } = overlay.window
  const lowest = center - width / 2
  const steps = 255 / Math.max(width, 1e-9)
  for (let i = 0; i < pixels; i++) {
    const level = Math.min(255, Math.max(0, ((grey[i] ?? 0) - lowest) * steps)) || 0
    const shown = inverted ? 255 - level : level
    rgb[i * 3] = shown
    rgb[i * 3 + 1] = shown
    rgb[i * 3 + 2] = shown
  }
  const opacity = overlay.opacity ?? 0.4
  if (overlay.heatMap) blendHeat(rgb, overlay.heatMap, { sliceIndex, opacity })
  for (const segment of overlay.segments ?? []) {
    const mask = segment.maskOf(sliceIndex)
    if (!mask) continue
    const colour = segment.definition.colour
    for (let i = 0; i < pixels; i++) if (mask[i]) blend(rgb, i * 3, { colour, at: 0, opacity })
  }
  return rgb
}

function blendHeat(
  rgb: Uint8Array,
  heat: HeatMap,
  { sliceIndex, opacity }: { sliceIndex: number; opacity: number },
): void {
  const values = heat.valuesOf(sliceIndex)
  if (!values) return
  const table = colourTable(heat.colours ?? 'hot')
  const [low, high] = heat.range
  for (let i = 0; i < values.length; i++) {
    const part = ((values[i] as number) - low) / (high - low || 1)
    if (part > 0) blend(rgb, i * 3, { colour: table, at: Math.round(Math.min(1, part) * 255) * 3, opacity })
  }
}

function blend(
  rgb: Uint8Array,
  at: number,
  { colour, at: from, opacity }: { colour: ArrayLike<number>; at: number; opacity: number },
): void {
  for (let channel = 0; channel < 3; channel++)
    rgb[at + channel] = Math.round((rgb[at + channel] ?? 0) * (1 - opacity) + (colour[from + channel] ?? 0) * opacity)
}

/** Copies a small raster into a rectangle, each pixel repeated: nothing is invented between them. */
function enlarge(
  picture: Picture,
  rgb: Uint8Array,
  { frame: { rows, columns }, place }: { frame: PictureFrame; place: Rectangle },
): void {
  for (let y = 0; y < place.height; y++) {
    const row = Math.min(rows - 1, Math.floor((y * rows) / place.height))
    for (let x = 0; x < place.width; x++) {
      const from = (row * columns + Math.min(columns - 1, Math.floor((x * columns) / place.width))) * 3
      const to = ((place.y + y) * picture.width + place.x + x) * 3
      picture.rgb[to] = rgb[from] as number
      picture.rgb[to + 1] = rgb[from + 1] as number
      picture.rgb[to + 2] = rgb[from + 2] as number
    }
  }
}

function drawLegend(
  picture: Picture,
  overlay: Overlay,
  { frame, layout }: { frame: PictureFrame; layout: Layout },
): void {
  const { width, height, image, scale, line } = layout
  const write = (text: string, place: { x: number; y: number }, colour: Colour): void =>
    drawText(picture, fittingText(text, width - place.x - scale * 2, scale), { ...place, scale, colour })
  const bottom = image.y + image.height
  fillRectangle(picture, { x: 0, y: 0, width, height: image.y }, panel)
  fillRectangle(picture, { x: 0, y: bottom, width, height: height - bottom }, panel)
  const left = scale * 3
  frame.headings.forEach((heading, index) => write(heading, { x: left, y: scale * 4 + line * index }, warning))
  let y = bottom + line / 2
  for (const note of frame.notes) {
    write(note, { x: left, y }, white)
    y += line
  }
  for (const { definition } of overlay.segments ?? []) {
    fillRectangle(picture, { x: left, y, width: scale * 12, height: scale * 7 }, definition.colour)
    write(definition.label, { x: left + scale * 16, y }, white)
    y += line
  }
  if (overlay.heatMap) drawColourBar(picture, overlay.heatMap, { x: left, y, layout })
}

/** Name and unit, the colours from low to high, and the values at both ends and in the middle. */
function drawColourBar(picture: Picture, heat: HeatMap, at: { x: number; y: number; layout: Layout }): void {
  const { scale, line, width } = at.layout
  const table = colourTable(heat.colours ?? 'hot')
  const barWidth = Math.min(width - at.x * 2, scale * 240)
  const title = heat.unit === '' ? heat.name : `${heat.name} [${heat.unit}]`
  drawText(picture, fittingText(title, width - at.x * 2, scale), { x: at.x, y: at.y, scale, colour: white })
  for (let x = 0; x < barWidth; x++) {
    const entry = Math.round((x / Math.max(1, barWidth - 1)) * 255) * 3
    const place = { x: at.x + x, y: at.y + line, width: 1, height: scale * 8 }
    fillRectangle(picture, place, table.subarray(entry, entry + 3) as unknown as Colour)
  }
  const [low, high] = heat.range
  for (const part of [0, 0.5, 1]) {
    const text = String(Number((low + (high - low) * part).toPrecision(4)))
    const x = Math.round(at.x + (barWidth - textWidth(text, scale)) * part)
    drawText(picture, text, { x, y: at.y + line * 2, scale, colour: white })
  }
}
