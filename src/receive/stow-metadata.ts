import { textOf } from '../dicom/dataset.ts'
import { HilumError } from '../errors.ts'
import { IncomingError } from '../store/incoming.ts'
import { BulkData, type BulkDatum } from './stow-bulk-data.ts'
import { composeInstance, expectedPixels } from './stow-compose.ts'
import { BulkDataError } from './stow-frames.ts'
import { bulkElements, dataSetTexts, type MetadataLimits, parseDataSet, tooManyInstances } from './stow-json.ts'
import { refusedOutcome, type StoreRequestContext } from './stow-part.ts'
import type { PartOutcome } from './stow-response.ts'
import { Spool } from './stow-spool.ts'

/** A data set whose bulk data is on its way; its text is put aside, so that thousands may wait. */
interface WaitingDataSet {
  offset: number
  length: number
  named: { sopClassUID: string | null; sopInstanceUID: string | null }
  locations: string[]
  missing: Set<BulkDatum>
}

/** The instances of a request that come as metadata with bulk data beside it (PS3.18 10.5.1.2). */
export class MetadataInstances {
  readonly #context: StoreRequestContext
  readonly #limits: MetadataLimits
  readonly #bulkData: BulkData
  #texts: Spool | null = null
  readonly #waiting = new Set<WaitingDataSet>()
  readonly #byDatum = new Map<BulkDatum, Set<WaitingDataSet>>()

  /** @param base URL that relative locations are resolved against */
  constructor(context: StoreRequestContext, options: { limits: MetadataLimits; base: string }) {
    this.#context = context
    this.#limits = options.limits
    const { incoming, maximumBytes } = context
    this.#bulkData = new BulkData({ incoming, maximumBytes, base: options.base })
  }

  /**
   * Reads a part of metadata. A data set that refers to nothing is stored at once.
   * @throws RequestError where the metadata is no such JSON, and what the body throws
   */
  async *takeMetadata(body: AsyncIterable<Buffer>): AsyncGenerator<PartOutcome, void, void> {
    for await (const text of dataSetTexts(body, this.#limits)) {
      const outcome = await this.#takeDataSet(text)
      if (outcome !== null) yield outcome
    }
  }

  /**
   * Takes a part of bulk data in. Every data set that has all it needs by then is stored.
   * @throws what the body throws
   */
  async *takeBulkData(part: {
    location: string | null
    contentType: string
    body: AsyncIterable<Buffer>
  }): AsyncGenerator<PartOutcome, void, void> {
    const datum = await this.#bulkData.take(part)
    if (!datum?.isComplete) return
    for (const dataSet of this.#byDatum.get(datum) ?? []) {
      dataSet.missing.delete(datum)
      if (dataSet.missing.size === 0) yield await this.#storeWaiting(dataSet)
    }
    await this.#bulkData.tidy()
  }

  /** What still waits when the request has ended: its bulk data did not come. */
  *leftOver(): Generator<PartOutcome, void, void> {
    for (const { named } of this.#waiting)
      yield refusedOutcome(
        new BulkDataError('bulk-data-missing', 'bulk data is not in the request, or not all of it'),
        named,
      )
  }

  async dispose(): Promise<void> {
    await this.#bulkData.dispose()
    await this.#texts?.dispose()
  }

  async #takeDataSet(text: Buffer): Promise<PartOutcome | null> {
    let named: WaitingDataSet['named'] = { sopClassUID: null, sopInstanceUID: null }
    try {
      const dataSet = parseDataSet(text)
      named = {
        sopClassUID: uidOf(textOf(dataSet, 'SOPClassUID')),
        sopInstanceUID: uidOf(textOf(dataSet, 'SOPInstanceUID')),
      }
      const locations: string[] = []
      const missing = new Set<BulkDatum>()
      for (const { tag, element, isOutermost } of bulkElements(dataSet)) {
        const datum = this.#bulkData.expect(element.BulkDataURI, isOutermost ? expectedPixels(dataSet, tag) : null)
        locations.push(element.BulkDataURI)
        if (!datum.isComplete) missing.add(datum)
      }
      if (locations.length === 0)
        return await composeInstance({ dataSet, bulkData: this.#bulkData, datumOf: () => undefined }, this.#context)
      this.#putAside(text, { named, locations, missing })
      return null
    } catch (error) {
      return outcomeOf(error, named)
    }
  }

  #putAside(text: Buffer, rest: Omit<WaitingDataSet, 'offset' | 'length'>): void {
    if (this.#waiting.size >= this.#limits.instances) throw tooManyInstances(this.#limits.instances)
    this.#texts ??= new Spool(this.#context.incoming)
    const waiting: WaitingDataSet = { offset: this.#texts.size, length: text.length, ...rest }
    this.#texts.append(text)
    this.#waiting.add(waiting)
    for (const datum of waiting.missing) {
      const others = this.#byDatum.get(datum) ?? new Set()
      this.#byDatum.set(datum, others.add(waiting))
    }
  }

  async #storeWaiting(waiting: WaitingDataSet): Promise<PartOutcome> {
    const bulkData = this.#bulkData
    const datumOf = (location: string) => bulkData.expect(location, null)
    this.#waiting.delete(waiting)
    try {
      const text = await (this.#texts as Spool).read(waiting.offset, waiting.length)
      return await composeInstance({ dataSet: parseDataSet(text), bulkData, datumOf }, this.#context)
    } catch (error) {
      return outcomeOf(error, waiting.named)
    } finally {
      this.#release(waiting, datumOf)
    }
  }

  #release(waiting: WaitingDataSet, datumOf: (location: string) => BulkDatum): void {
    for (const location of waiting.locations) {
      const datum = datumOf(location)
      const others = this.#byDatum.get(datum)
      others?.delete(waiting)
      if (others !== undefined && others.size > 0) continue
      this.#byDatum.delete(datum)
      this.#bulkData.release(location)
    }
  }
}

/** @throws what is no judgement on the instance */
function outcomeOf(error: unknown, named: WaitingDataSet['named']): PartOutcome {
  const isRequests = error instanceof HilumError && (error.code === 'bad-parameter' || error.code === 'too-large')
  const isNodes = error instanceof IncomingError && error.code !== 'out-of-space'
  if (!(error instanceof HilumError) || isRequests || isNodes) throw error
  return refusedOutcome(error, named)
}

function uidOf(text: string | null): string | null {
  return text !== null && /^\d[\d.]{0,63}$/.test(text) ? text : null
}
