import { encodeFileMeta } from '../../src/dicom/part10.ts'
import { breakElements, encodeImage, encodingOf, imageElements, nestedDataSet } from './data-sets.ts'
import { encodeDataSet } from './encode.ts'
import { Random } from './random.ts'
import { storage, syntax } from './uids.ts'

/** A STOW-RS request body (PS3.18 10.5), and what has to become of its instances. */
export interface MultipartCase {
  kind: string
  contentType: string
  body: Buffer
  /** SOP Instance UIDs that have to be stored, and no others may be. Null where the framing may be read either way. */
  stored: string[] | null
  /** Bytes of each instance that the request may hold, by SOP Instance UID. */
  files: Map<string, Buffer>
  /** The client goes before the end. */
  breaksOff: boolean
}

interface Part {
  headers: Buffer
  content: Buffer
}

const kinds = {
  valid: 20,
  'broken files': 20,
  'broken headers of parts': 15,
  'broken delimiters': 15,
  'cut off': 10,
  'random bytes changed': 15,
  'odd content types': 10,
  noise: 3,
  'client goes': 8,
  'many parts': 1,
  'delimiters in the content': 5,
  'metadata and bulk data': 12,
}

/** The case of a number: the same for the same seed. */
export function multipartCase(seed: number, number: number): MultipartCase {
  const random = new Random(seed, number, 7)
  const kind = random.weighted(kinds)
  const boundary = random.pick(['b', 'hilum-fuzz', "x'()+_,-./:=?", '0'.repeat(70)])
  const root = `1.2.826.0.1.3680043.11.${seed}.${number}`
  const files = new Map<string, Buffer>()
  const file = (): Buffer => {
    const names = { ...uidsOf(root, files.size), sopClass: storage.ct }
    const bytes = part10(random, names)
    files.set(names.sopInstance, bytes)
    return bytes
  }
  const parts: Part[] = Array.from({ length: kind === 'many parts' ? 60 : random.between(1, 4) }, () => partOf(file()))
  const uids = [...files.keys()]
  const base = { kind, files, breaksOff: false, stored: null as string[] | null }
  const contentType = `multipart/related; type="application/dicom"; boundary="${boundary}"`
  const lay = (): Buffer => multipart(parts, boundary)
  switch (kind) {
    case 'valid':
    case 'many parts':
      return { ...base, contentType, body: Buffer.concat([preamble(random), lay(), preamble(random)]), stored: uids }
    case 'broken files':
      return { ...base, contentType, ...breakFiles(random, { parts, files, root }, lay) }
    case 'broken headers of parts':
      for (const part of parts) if (random.chance(0.7)) part.headers = brokenHeaders(random)
      return { ...base, contentType, body: lay() }
    case 'broken delimiters':
      return { ...base, contentType, body: brokenDelimiters(random, lay(), boundary) }
    case 'cut off': {
      const body = lay()
      return { ...base, contentType, body: body.subarray(0, random.between(1, body.length - 1)) }
    }
    case 'client goes': {
      const body = lay()
      return { ...base, contentType, body: body.subarray(0, random.between(1, body.length - 1)), breaksOff: true }
    }
    case 'random bytes changed':
      return { ...base, contentType, body: changed(random, lay()) }
    case 'odd content types':
      return { ...base, contentType: oddType(random, boundary), body: lay() }
    case 'delimiters in the content': {
      // A boundary that begins like it, or stands in the middle of a line, delimits nothing.
      const inner = Buffer.from(`\r\n--${boundary}x\r\n --${boundary}\r\n\r\n-`)
      const names = { ...uidsOf(root, 77), sopClass: storage.ct }
      const bytes = part10(random, names, inner.length % 2 === 0 ? inner : Buffer.concat([inner, Buffer.alloc(1)]))
      files.set(names.sopInstance, bytes)
      parts.push(partOf(bytes))
      return { ...base, contentType, body: lay(), stored: [...files.keys()] }
    }
    case 'metadata and bulk data': {
      files.clear()
      const type = `multipart/related; type="application/dicom+json"; boundary="${boundary}"`
      return { ...base, contentType: type, body: multipart(jsonParts(random, root), boundary) }
    }
    case 'noise':
      return { ...base, contentType, body: random.bytes(random.between(0, 5000)) }
  }
}

/** Metadata in the DICOM JSON Model with pixels beside it (PS3.18 8.7.3.2), whole or broken. */
function jsonParts(random: Random, root: string): Part[] {
  const where = 'http://example.com/pixels'
  const one = (vr: string, value: unknown) => ({ vr, Value: [value] })
  const attributes: Record<string, unknown> = {
    '00080016': one('UI', storage.ct),
    '00080018': one('UI', `${root}.1.1`),
    '0020000D': one('UI', root),
    '0020000E': one('UI', `${root}.1`),
    '00280010': one('US', 4),
    '00280011': one('US', 4),
    '00280100': one('US', 16),
    '7FE00010': { vr: 'OW', BulkDataURI: where },
  }
  const tag = random.pick(Object.keys(attributes))
  const broken: unknown[] = [null, 7, 'x', [], {}, { vr: 'ZZ' }, { vr: 'UI', Value: 'x' }, { vr: 'SQ', Value: [[]] }]
  if (random.chance(0.4)) attributes[tag] = random.pick(broken)
  if (random.chance(0.2)) delete attributes[tag]
  const texts = [
    JSON.stringify([attributes]),
    JSON.stringify(attributes),
    '[',
    '[]',
    'null',
    '[null]',
    '['.repeat(20_000),
  ]
  const json = random.chance(0.6) ? JSON.stringify([attributes]) : random.pick(texts)
  const head = (lines: string): Buffer => Buffer.from(lines.replaceAll('\n', '\r\n'))
  const metadata = { headers: head('Content-Type: application/dicom+json\n'), content: Buffer.from(json) }
  const bulk = {
    headers: head(`Content-Type: application/octet-stream\nContent-Location: ${random.chance(0.8) ? where : 'x'}\n`),
    content: random.bytes(random.pick([32, 32, 32, 31, 0, 5000])),
  }
  return random.chance(0.8)
    ? [metadata, bulk]
    : random.pick([[metadata], [bulk, metadata], [metadata, bulk, bulk], [bulk]])
}

const uidsOf = (root: string, n: number) => ({ sopInstance: `${root}.1.${n}`, study: root, series: `${root}.1` })

const partOf = (content: Buffer): Part => ({ headers: Buffer.from('Content-Type: application/dicom\r\n'), content })

function multipart(parts: readonly Part[], boundary: string): Buffer {
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`)
  const chunks = parts.flatMap(({ headers, content }) => [delimiter, headers, Buffer.from('\r\n'), content])
  return Buffer.concat([...chunks, Buffer.from(`\r\n--${boundary}--`)])
}

/** What stands before the first delimiter, and after the last, is to be ignored (RFC 2046 5.1.1). */
const preamble = (random: Random): Buffer =>
  random.chance(0.3) ? Buffer.from('\r\nto be ignored\r\n') : Buffer.alloc(0)

function part10(random: Random, names: Parameters<typeof imageElements>[1], pixels?: Buffer): Buffer {
  const transferSyntax = random.pick([syntax.explicit, syntax.implicit, syntax.deflated, syntax.jpegLS])
  const elements = imageElements(random, names)
  const chosen = pixels ? syntax.explicit : transferSyntax
  const dataSet = pixels
    ? encodeDataSet([...elements, { tag: 0x7fe00010, vr: 'OB', value: pixels }], encodingOf(chosen))
    : encodeImage(random, elements, { syntax: chosen, pixels: 2 * random.pick([1, 100, 4000]) })
  return Buffer.concat([metaOf(names, chosen), dataSet])
}

const metaOf = (names: { sopClass: string; sopInstance: string }, transferSyntaxUID: string): Buffer =>
  encodeFileMeta({
    mediaStorageSOPClassUID: names.sopClass,
    mediaStorageSOPInstanceUID: names.sopInstance,
    transferSyntaxUID,
  })

/** Good files between broken ones: the good ones have to be stored all the same. */
function breakFiles(
  random: Random,
  { parts, files, root }: { parts: Part[]; files: Map<string, Buffer>; root: string },
  lay: () => Buffer,
): { body: Buffer; stored: string[] | null } {
  const good = [...files.keys()]
  const names = { ...uidsOf(root, 99), sopClass: storage.ct }
  const broken = brokenFile(random, names)
  parts.splice(random.between(0, parts.length), 0, partOf(broken.bytes))
  files.set(names.sopInstance, broken.bytes)
  return { body: lay(), stored: broken.sure ? good : null }
}

/** `sure`: it must not be stored; others may be whole after all. */
function brokenFile(random: Random, names: Parameters<typeof imageElements>[1]): { bytes: Buffer; sure: boolean } {
  const whole = part10(random, names)
  const head = metaOf(names, syntax.explicit)
  switch (random.between(0, 5)) {
    case 0:
      return { bytes: whole.subarray(0, random.between(0, 300)), sure: true }
    case 1:
      return { bytes: whole.subarray(0, whole.length - 1), sure: true }
    case 2:
      return {
        bytes: Buffer.concat([head, nestedDataSet(names, random.pick([40, 5000]), syntax.explicit)]),
        sure: true,
      }
    case 3:
      return { bytes: random.bytes(random.between(0, 3000)), sure: true }
    case 4: {
      const bytes = Buffer.from(whole)
      bytes.writeUInt32LE(random.next(), 140)
      return { bytes, sure: false }
    }
    default: {
      const elements = imageElements(random, names)
      for (let n = random.between(1, 3); n > 0 && elements.length > 0; n--) breakElements(random, elements)
      return { bytes: Buffer.concat([head, encodeDataSet(elements, encodingOf(syntax.explicit))]), sure: false }
    }
  }
}

const brokenHeaders = (random: Random): Buffer =>
  Buffer.from(
    random.pick([
      '',
      'Content-Type: text/plain\r\n',
      'Content-Type application/dicom\r\n',
      ': application/dicom\r\n',
      'Content-Type: application/dicom\n',
      'Content-Type:\r\n application/dicom\r\n',
      `X-Long: ${'x'.repeat(20_000)}\r\n`,
      'Content-Length: 3\r\nContent-Type: application/dicom\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      '\0\0\0\r\n',
      'Content-Type: multipart/related; boundary=b\r\n',
    ]),
  )

function brokenDelimiters(random: Random, body: Buffer, boundary: string): Buffer {
  const text = body.toString('latin1')
  const replaced = random.pick([
    () => text.replaceAll(`\r\n--${boundary}`, `\n--${boundary}`),
    () => text.replace(`--${boundary}\r\n`, `--${boundary} \t\r\n`),
    () => text.replace(`--${boundary}--`, `--${boundary}`),
    () => text.replace(`--${boundary}--`, ''),
    () => text.replace(`--${boundary}\r\n`, `--${boundary}${' '.repeat(500)}\r\n`),
    () => `${text}\r\n--${boundary}\r\n${'x'.repeat(100_000)}`,
    () => text.replaceAll(`--${boundary}`, `--${boundary}`.repeat(2)),
    () => `${'x'.repeat(100_000)}${text}`,
  ])()
  return Buffer.from(replaced, 'latin1')
}

function changed(random: Random, body: Buffer): Buffer {
  let bytes = Buffer.from(body)
  for (let n = random.between(1, 4); n > 0; n--) {
    const at = random.between(0, bytes.length - 1)
    if (random.chance(0.5)) bytes[at] = random.between(0, 255)
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        random.bytes(random.between(0, 9)),
        bytes.subarray(at + random.between(0, 9)),
      ])
  }
  return bytes
}

const oddType = (random: Random, boundary: string): string =>
  random.pick([
    'multipart/related',
    `multipart/related; boundary=${'x'.repeat(71)}`,
    `multipart/related; type="application/dicom+json"; boundary="${boundary}"`,
    `multipart/form-data; boundary="${boundary}"`,
    `multipart/related; boundary="${boundary}`,
    `multipart/related;;;boundary="${boundary}"`,
    `multipart/related; type=application/dicom; boundary="other"`,
    `MULTIPART/RELATED; TYPE="application/DICOM"; BOUNDARY="${boundary}"`,
    'application/dicom',
    'application/octet-stream',
    'nonsense',
  ])
