import { cell, glyphRows } from './bitmap-font.ts'

/** Red, green, blue, 0 to 255. */
export type Colour = readonly number[]

/** A colour raster: three bytes a pixel, row by row. */
export interface Picture {
  width: number
  height: number
  rgb: Uint8Array
}

/** A black picture. */
export function blankPicture(width: number, height: number): Picture {
  return { width, height, rgb: new Uint8Array(width * height * 3) }
}

export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

/** Fills the part of a rectangle that lies in the picture. */
export function fillRectangle(picture: Picture, { x, y, width, height }: Rectangle, colour: Colour): void {
  const [red = 0, green = 0, blue = 0] = colour
  const right = Math.min(picture.width, x + width)
  for (let row = Math.max(0, y); row < Math.min(picture.height, y + height); row++)
    for (let at = (row * picture.width + Math.max(0, x)) * 3; at < (row * picture.width + right) * 3; at += 3) {
      picture.rgb[at] = red
      picture.rgb[at + 1] = green
      picture.rgb[at + 2] = blue
    }
}

export interface TextPlace {
  x: number
  /** Top of the letters. */
  y: number
  /** Pixels a dot of the font. */
  scale: number
  colour: Colour
}

/** Draws one line of ASCII; other letters lose their accents, other characters become question marks. */
export function drawText(picture: Picture, text: string, { x, y, scale, colour }: TextPlace): void {
  for (const [index, character] of Array.from(asciiText(text)).entries())
    for (const [row, bits] of glyphRows(character).entries())
      for (let column = 0; column < 5; column++)
        if (bits & (16 >> column))
          fillRectangle(
            picture,
            { x: x + (index * cell.width + column) * scale, y: y + row * scale, width: scale, height: scale },
            colour,
          )
}

/** Width of a line of text, in pixels. */
export function textWidth(text: string, scale: number): number {
  return asciiText(text).length * cell.width * scale
}

function asciiText(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^ -~]/gu, '?')
}

/** Cuts a line of text to the width that is there. */
export function fittingText(text: string, width: number, scale: number): string {
  const characters = Math.max(0, Math.floor(width / (cell.width * scale)))
  return text.length <= characters ? text : `${text.slice(0, Math.max(0, characters - 2))}..`
}
