import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { isExplicitVR } from '../dicom/element-header.ts'
import { DicomError } from '../dicom/error.ts'
import { RequestError } from '../dicomweb/request-error.ts'

export interface MetadataLimits {
  /** Bytes of all metadata of a request. */
  metadataBytes: number
  /** Bytes of one data set's JSON: it is parsed in one piece. */
  dataSetBytes: number
  /** Instances of one request. */
  instances: number
}

/** The refusal of a request that has more instances than one may have. */
export function tooManyInstances(limit: number): RequestError {
  return new RequestError('too-large', `The request has more than ${limit} instances.`)
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
/** Space, tab, line feed, carriage return, and the three bytes of a byte order mark. */
const ignored: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf])

/**
 * Cuts metadata into the texts of its data sets (PS3.18 F.2.1: an array of objects; one object alone is taken as well), so that only one
 * of them is held at a time, however many there are.
 * @throws RequestError `too-large`, or `bad-parameter` where it is no such JSON
 */
export async function* dataSetTexts(
  source: AsyncIterable<Buffer>,
  limits: Pick<MetadataLimits, 'metadataBytes' | 'dataSetBytes'>,
): AsyncGenerator<Buffer, void, void> {
  const cutter = new ObjectCutter()
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > limits.metadataBytes) throw tooLarge(`The metadata is longer than ${limits.metadataBytes} bytes`)
    for (const text of cutter.cut(chunk)) {
      if (text.length > limits.dataSetBytes) throw tooLarge(`A data set is longer than ${limits.dataSetBytes} bytes`)
      yield text
    }
    if (cutter.held > limits.dataSetBytes) throw tooLarge(`A data set is longer than ${limits.dataSetBytes} bytes`)
  }
  if (!cutter.isComplete) throw malformed('it ends early')
}

function tooLarge(what: string): RequestError {
  return new RequestError('too-large', `${what}: large values are sent as bulk data beside it.`)
}

function malformed(reason: string): RequestError {
  return new RequestError('bad-parameter', `The metadata is no array of data sets in the DICOM JSON Model: ${reason}.`)
}

/** Finds where the objects of an array begin and end; what is in them is left to the JSON parser. */
class ObjectCutter {
  #parts: Buffer[] = []
  held = 0
  #depth = 0
  #inString = false
  #escaped = false
  #objects = 0
  #array: 'none' | 'open' | 'closed' = 'none'

  get isComplete(): boolean {
    return this.#depth === 0 && this.#array !== 'open' && (this.#objects > 0 || this.#array === 'closed')
  }

  *cut(chunk: Buffer): Generator<Buffer, void, void> {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#depth === 0) {
        if (byte === openObject) {
          this.#begin()
          start = at
        } else this.#between(byte)
      } else if (this.#inObject(byte)) {
        this.#objects++
        yield Buffer.concat([...this.#parts, chunk.subarray(start, at + 1)])
        this.#parts = []
        this.held = 0
      }
    }
    if (this.#depth === 0) return
    this.#parts.push(chunk.subarray(start))
    this.held += chunk.length - start
  }

  #begin(): void {
    if (this.#array === 'closed' || (this.#array === 'none' && this.#objects > 0))
      throw malformed('something follows it')
    this.#depth = 1
  }

  #between(byte: number): void {
    if (ignored.has(byte)) return
    if (byte === openArray && this.#array === 'none' && this.#objects === 0) this.#array = 'open'
    else if (byte === closeArray && this.#array === 'open') this.#array = 'closed'
    else if (byte !== comma || this.#array !== 'open') throw malformed('an object is expected')
  }

  /** @returns true when the byte ends the object */
  #inObject(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) this.#inString = false
    } else if (byte === quote) this.#inString = true
    else if (byte === openObject || byte === openArray) this.#depth++
    else if (byte === closeObject || byte === closeArray) this.#depth--
    return this.#depth === 0
  }
}

/** Items within items beyond this are nobody's data. */
const maximumDepth = 32

/**
 * Parses the text of a data set, and checks its shape: tags, VRs of the standard, items.
 * @throws RequestError `bad-parameter` where it is no JSON
 * @throws {DicomError} `invalid-value` where it is no data set; the message names the tag only
 */
export function parseDataSet(text: Buffer): DicomJson {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.toString('utf8'))
  } catch {
    // The parser's message quotes the text.
    throw malformed('a data set is no JSON')
  }
  checkDataSet(parsed, 0)
  return parsed as DicomJson
}

function checkDataSet(dataSet: unknown, depth: number): void {
  if (depth > maximumDepth)
    throw new DicomError('invalid-value', `sequences are nested deeper than ${maximumDepth} levels`)
  if (typeof dataSet !== 'object' || dataSet === null || Array.isArray(dataSet))
    throw new DicomError('invalid-value', 'a data set is no JSON object')
  for (const [tag, element] of Object.entries(dataSet) as [string, unknown][]) {
    if (!/^[0-9A-Fa-f]{8}$/.test(tag) || /^(0000|fffe)/i.test(tag))
      throw new DicomError('invalid-value', 'a member of a data set is no tag of eight hexadecimal digits')
    if (typeof element !== 'object' || element === null || !hasVR(element))
      throw new DicomError('invalid-value', `element ${tag} has no VR of the standard`)
    if (element.vr !== 'SQ') continue
    if ('BulkDataURI' in element || 'InlineBinary' in element)
      throw new DicomError('invalid-value', `sequence ${tag} is given as binary`)
    const items: unknown = element.Value ?? []
    if (!Array.isArray(items)) throw new DicomError('invalid-value', `sequence ${tag} has no items`)
    for (const item of items) if (item !== null) checkDataSet(item, depth + 1)
  }
}

function hasVR(element: object): element is DicomJsonElement {
  return (
    'vr' in element &&
    typeof element.vr === 'string' &&
    element.vr.length === 2 &&
    isExplicitVR(Buffer.from(element.vr), 0)
  )
}

/** Every element of a data set whose value is bulk data, at any depth. */
export function* bulkElements(
  dataSet: DicomJson,
  depth = 0,
): Generator<{ tag: string; element: DicomJsonElement & { BulkDataURI: string }; isOutermost: boolean }> {
  for (const [tag, element] of Object.entries(dataSet)) {
    if (element.vr === 'SQ') {
      for (const item of element.Value ?? []) if (item !== null) yield* bulkElements(item as DicomJson, depth + 1)
    } else if (typeof element.BulkDataURI === 'string')
      yield { tag, element: element as DicomJsonElement & { BulkDataURI: string }, isOutermost: depth === 0 }
  }
}
