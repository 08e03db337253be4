/** Bytes of the header of an RLE frame (PS3.5 G.5). */
const headerLength = 64

/**
 * Encodes one frame of one byte a pixel in RLE Lossless (PS3.5 annex G): one segment, each row for itself.
 * @param scratch at least `rleBound(rows, columns)` bytes, used again and again
 * @returns a copy of its own, of even length
 */
export function encodeRLE(
  frame: Uint8Array,
  { rows, columns, scratch }: { rows: number; columns: number; scratch: Uint8Array },
): Uint8Array {
  scratch.fill(0, 0, headerLength)
  scratch[0] = 1
  scratch[4] = headerLength
  let to = headerLength
  for (let row = 0; row < rows; row++) to = packRow(frame, row * columns, { end: (row + 1) * columns, to, scratch })
  if (to % 2 === 1) scratch[to++] = 0
  return scratch.slice(0, to)
}

/** The most bytes that a frame can need. */
export function rleBound(rows: number, columns: number): number {
  return headerLength + rows * (columns + Math.ceil(columns / 128)) + 1
}

/** PackBits of one row (PS3.5 G.3.1). Two equal bytes are worth a run only where no literal run would be broken for them. */
function packRow(
  frame: Uint8Array,
  start: number,
  { end, to, scratch }: { end: number; to: number; scratch: Uint8Array },
): number {
  let at = start
  while (at < end) {
    const run = runLength(frame, at, end)
    if (run > 1) {
      scratch[to++] = 257 - run
      scratch[to++] = frame[at] as number
      at += run
      continue
    }
    let literal = 1
    while (literal < 128 && at + literal < end && runLength(frame, at + literal, Math.min(end, at + literal + 3)) < 3)
      literal++
    scratch[to++] = literal - 1
    for (let i = 0; i < literal; i++) scratch[to++] = frame[at + i] as number
    at += literal
  }
  return to
}

/** Equal bytes from `at` on, at most 128. */
function runLength(frame: Uint8Array, at: number, end: number): number {
  const value = frame[at]
  const limit = Math.min(end, at + 128)
  let next = at + 1
  while (next < limit && frame[next] === value) next++
  return next - at
}
