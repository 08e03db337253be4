import { crc32, deflateSync } from 'node:zlib'
import type { Picture } from './picture.ts'

const signature = Buffer.from('89504e470d0a1a0a', 'hex')

/** A picture as PNG (ISO/IEC 15948): 8 bits, red, green and blue, without anything beside the pixels. */
export function encodePNG({ width, height, rgb }: Picture): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const line = width * 3
  const rows = Buffer.alloc((line + 1) * height)
  for (let y = 0; y < height; y++) {
    // Filter 1: each sample as its difference to the pixel on its left.
    const to = y * (line + 1)
    rows[to] = 1
    for (let i = 0; i < line; i++)
      rows[to + 1 + i] = ((rgb[y * line + i] as number) - (i < 3 ? 0 : (rgb[y * line + i - 3] as number))) & 0xff
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(named.length + 8)
  whole.writeUInt32BE(data.length, 0)
  named.copy(whole, 4)
  whole.writeUInt32BE(crc32(named), named.length + 4)
  return whole
}
