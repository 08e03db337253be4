import type { DicomJson } from '../dicom/dicom-json.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import { BoundedCache } from './bounded-cache.ts'

/** A binary value that the metadata names instead of holding it. */
export interface BulkValue {
  tag: string
  vr: string
  offset: number
  length: number
}

/** What is kept of a stored object's header. */
export interface Described {
  /** The header as DICOM JSON text; its BulkDataURIs are still `#…`, see `metadataFor`. */
  text: string
  /** By `offset,length`. */
  bulk: ReadonlyMap<string, BulkValue>
  transferSyntaxUID: string
  dataSetOffset: number
  /** MIME Type of Encapsulated Document (0042,0012). */
  documentType: string | null
}

export type Descriptions = BoundedCache<Described>

/** @param bytes about the memory that the descriptions may take */
export function createDescriptions(bytes = 64 * 1024 * 1024): Descriptions {
  return new BoundedCache(bytes, (described) => 512 + described.text.length * 2 + described.bulk.size * 128)
}

/** Reads the header of a stored object. */
export async function describe(path: string): Promise<Described> {
  const file = await readInstanceFile(path)
  const { elements } = file
  const bulk = new Map<string, BulkValue>()
  prepare(elements, bulk)
  if (file.pixelData) {
    elements[file.pixelData.tag] = { vr: file.pixelData.vr, BulkDataURI: `#${file.pixelData.tag}` }
  } else if (transferSyntax(file.transferSyntaxUID).deflated && elements['00280010']) {
    elements['7FE00010'] = { vr: 'OW', BulkDataURI: '#7FE00010' }
  }
  // Lets viewers know how the bytes are stored before they ask for them (PS3.18 10.4.1.1.2, PS3.4 C.3.4).
  elements['00083002'] ??= { vr: 'UI', Value: [file.transferSyntaxUID] }
  const documentType = elements['00420012']?.Value?.[0]
  return {
    text: JSON.stringify(inTagOrder(elements)),
    bulk,
    transferSyntaxUID: file.transferSyntaxUID,
    dataSetOffset: file.dataSetOffset,
    documentType: typeof documentType === 'string' ? documentType.toLowerCase() : null,
  }
}

/** The metadata text with BulkDataURIs below the instance's own URL. A quote inside a JSON string is escaped, so that no value matches. */
export function metadataFor(described: Described, instanceURL: string): string {
  return described.text.replaceAll(
    '"BulkDataURI":"#',
    () => `"BulkDataURI":${JSON.stringify(`${instanceURL}/bulkdata/`).slice(0, -1)}`,
  )
}

/** Notes binary values, and says that text is UTF-8 now, whatever it was stored as (PS3.18 F.2.1). */
function prepare(elements: DicomJson, bulk: Map<string, BulkValue>): void {
  for (const [tag, element] of Object.entries(elements)) {
    if (tag === '00080005') elements[tag] = { vr: 'CS', Value: ['ISO_IR 192'] }
    else if (element.BulkDataURI !== undefined) {
      const [offset, length] = element.BulkDataURI.slice(1).split(',').map(Number)
      if (offset !== undefined && length !== undefined) {
        bulk.set(`${offset},${length}`, { tag, vr: element.vr, offset, length })
      }
    } else if (element.vr === 'SQ') {
      for (const item of element.Value ?? []) prepare(item as DicomJson, bulk)
    }
  }
}

function inTagOrder(elements: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(elements).sort(([a], [b]) => (a < b ? -1 : 1)))
}
