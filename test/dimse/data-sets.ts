/** One element in explicit VR little endian. */
export function element(tag: number, vr: string, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const pad = bytes.length % 2 === 1 ? Buffer.from(vr === 'UI' ? [0] : [0x20]) : Buffer.alloc(0)
  const long = ['OB', 'OW', 'UN', 'UT', 'SQ'].includes(vr)
  const head = Buffer.alloc(long ? 12 : 8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  const length = bytes.length + pad.length
  if (long) head.writeUInt32LE(length, 8)
  else head.writeUInt16LE(length, 6)
  return Buffer.concat([head, bytes, pad])
}

export interface SliceOptions {
  sopInstanceUID?: string
  sopClassUID?: string
  studyInstanceUID?: string
  seriesInstanceUID?: string
  pixels?: Buffer
  /** Elements between those of the study and the pixel data, ascending. */
  more?: Buffer[]
}

const unsigned = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8])

/** A CT slice's data set without anything but what a receiver looks at, in explicit VR little endian; pixel data last. */
export function slice(options: SliceOptions = {}): Buffer {
  return Buffer.concat([
    element(0x00080016, 'UI', options.sopClassUID ?? '1.2.840.10008.5.1.4.1.1.2'),
    element(0x00080018, 'UI', options.sopInstanceUID ?? '1.2.3.4'),
    element(0x00080060, 'CS', 'CT'),
    element(0x00100020, 'LO', 'ID1'),
    ...(options.studyInstanceUID === '' ? [] : [element(0x0020000d, 'UI', options.studyInstanceUID ?? '1.2.3')]),
    element(0x0020000e, 'UI', options.seriesInstanceUID ?? '1.2.3.1'),
    element(0x00200013, 'IS', '7'),
    element(0x00280010, 'US', unsigned(64)),
    element(0x00280011, 'US', unsigned(64)),
    element(0x00280100, 'US', unsigned(16)),
    ...(options.more ?? []),
    element(0x7fe00010, 'OW', options.pixels ?? Buffer.alloc(64 * 64 * 2, 5)),
  ])
}
