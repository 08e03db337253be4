import type { ProposedContext } from './association-pdu.ts'
import { ScuAssociation, type ScuOptions } from './scu-association.ts'
import { asDimseError, interrupted, notSent, unreadable } from './send.ts'
import { type MoveOriginator, type SentFile, sendFile } from './send-file.ts'
import { type PlannedFile, readPlannedFile } from './send-plan.ts'

/** IDs are the odd numbers from 1 to 255 (PS3.8 table 9-13). */
const maximumContexts = 128

/** What a presentation context is proposed for. */
type Pair = Pick<PlannedFile, 'sopClassUID' | 'transferSyntaxUID'>

/**
 * Sends files that are not all known beforehand, one after the other, over one association as long as it goes: a file of a
 * SOP class and transfer syntax that it has no context for makes a new one, which proposes all that were needed so far.
 */
export class InstanceSender {
  readonly #options: ScuOptions & { moveOriginator?: MoveOriginator | undefined }
  /** SOP class and transfer syntax of what is expected, and of what was sent, the latest last. */
  readonly #pairs = new Map<string, Pair>()
  #association: ScuAssociation | null = null
  #contextIDs: ReadonlyMap<string, number> = new Map()

  constructor(options: ScuOptions & { moveOriginator?: MoveOriginator | undefined }) {
    this.#options = options
  }

  /** Names what will be sent, so that the next association has contexts for it: some receivers take only one. */
  expect(pairs: Iterable<Pair>): void {
    for (const { sopClassUID, transferSyntaxUID } of pairs) {
      if (this.#pairs.size === maximumContexts) return
      const pair = pairOf({ sopClassUID, transferSyntaxUID })
      if (!this.#pairs.has(pair)) this.#pairs.set(pair, { sopClassUID, transferSyntaxUID })
    }
  }

  /** @returns what became of the file; never throws. Call it again when it has settled. */
  async send(path: string): Promise<SentFile> {
    let file: PlannedFile
    try {
      file = await readPlannedFile(path, 0)
    } catch (error) {
      return unreadable(path, error)
    }
    let association: ScuAssociation
    try {
      association = await this.#associationFor(file)
    } catch (error) {
      return notSent(file, asDimseError(error))
    }
    try {
      const contextID = this.#contextIDs.get(pairOf(file)) ?? 0
      return await sendFile(association, { ...file, contextID }, this.#options)
    } catch (error) {
      this.#association = null
      return interrupted(file, asDimseError(error))
    }
  }

  /** Releases the association, if there is one. */
  async close(): Promise<void> {
    const association = this.#association
    this.#association = null
    await association?.release()
  }

  async #associationFor(file: PlannedFile): Promise<ScuAssociation> {
    if (this.#association?.isOpen && this.#contextIDs.has(pairOf(file))) return this.#association
    await this.close()
    const { sopClassUID, transferSyntaxUID } = file
    this.#pairs.delete(pairOf(file))
    this.#pairs.set(pairOf(file), { sopClassUID, transferSyntaxUID })
    const [oldest] = this.#pairs.keys()
    if (this.#pairs.size > maximumContexts && oldest !== undefined) this.#pairs.delete(oldest)
    const ids = new Map([...this.#pairs.keys()].map((pair, n) => [pair, 2 * n + 1]))
    const contexts: ProposedContext[] = [...this.#pairs].map(([pair, proposed]) => ({
      id: ids.get(pair) as number,
      abstractSyntax: proposed.sopClassUID,
      transferSyntaxes: [proposed.transferSyntaxUID],
    }))
    this.#contextIDs = ids
    this.#association = await ScuAssociation.open(this.#options, { contexts })
    return this.#association
  }
}

const pairOf = (file: Pair): string => `${file.sopClassUID} ${file.transferSyntaxUID}`
