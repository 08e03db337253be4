/** Fonts that every PDF reader has (ISO 32000-1 9.6.2.2). */
export type FontName = 'Helvetica' | 'Helvetica-Bold'

/** Advance widths of space to tilde, in thousandths of the font size. */
const widths: Readonly<Record<FontName, readonly number[]>> = {
  // biome-ignore format: a table
  Helvetica: [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ],
  // biome-ignore format: a table
  'Helvetica-Bold': [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
  ],
}

/** WinAnsiEncoding between 0x80 and 0x9f; below and above it is that of Unicode (ISO 32000-1 D.2). */
const between =
  '\u20ac\0\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\0\u017d\0\0\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\0\u017e\u0178'

/** The byte of a character, or null where the fonts have none. */
function winAnsiByte(character: string): number | null {
  const code = character.codePointAt(0) ?? 0
  if ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff)) return code
  const at = code === 0 ? -1 : between.indexOf(character)
  return at < 0 ? null : 0x80 + at
}

/** True where every character can be printed. */
export function isPrintable(text: string): boolean {
  return Array.from(text.normalize('NFC')).every((character) => winAnsiByte(character) !== null)
}

/** Text as bytes of the fonts; what they lack becomes a question mark, never another letter. */
export function winAnsi(text: string): Buffer {
  return Buffer.from(Array.from(text.normalize('NFC'), (character) => winAnsiByte(character) ?? 0x3f))
}

/** Width of a line, in the unit of the size. Letters with accents are as wide as those without; other characters as an average one. */
export function lineWidth(text: string, font: FontName, size: number): number {
  let sum = 0
  for (const character of text.normalize('NFC'))
    sum += widths[font][(character.normalize('NFD').codePointAt(0) ?? 0) - 0x20] ?? 556
  return (sum * size) / 1000
}
