import { syntaxesFor } from '../dicom/convert-vr.ts'
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
 * SOP class and transfer syntax that it has no context for makes a new one, which proposes all that were needed so far. Uncompressed ones
 * that are refused are proposed anew in implicit and explicit VR little endian, in contexts of their own, and converted.
 */
export class InstanceSender {
  readonly #options: ScuOptions & { moveOriginator?: MoveOriginator | undefined }
  /** SOP class and transfer syntax of what is expected, and of what was sent, the latest last. */
  readonly #pairs = new Map<string, Pair>()
  #association: ScuAssociation | null = null
  /** What can be converted is proposed in other transfer syntaxes as well. */
  #converting = false
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
      const { moveOriginator } = this.#options
      const { contextID, as } = this.#contextFor(association, file)
      return await sendFile(association, { ...file, contextID }, { moveOriginator, as })
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
    if (this.#association?.isOpen && this.#contextIDs.has(pairOf(file)))
      return await this.#widened(this.#association, file)
    await this.close()
    const { sopClassUID, transferSyntaxUID } = file
    this.#pairs.delete(pairOf(file))
    this.#pairs.set(pairOf(file), { sopClassUID, transferSyntaxUID })
    const [oldest] = this.#pairs.keys()
    if (this.#pairs.size > maximumContexts && oldest !== undefined) this.#pairs.delete(oldest)
    const proposed = [...(this.#converting ? proposals(this.#pairs) : this.#pairs)]
    this.#contextIDs = new Map(proposed.map(([pair], n) => [pair, 2 * n + 1]))
    const contexts: ProposedContext[] = proposed.map(([, pair], n) => ({
      id: 2 * n + 1,
      abstractSyntax: pair.sopClassUID,
      transferSyntaxes: [pair.transferSyntaxUID],
    }))
    this.#association = await ScuAssociation.open(this.#options, { contexts })
    return await this.#widened(this.#association, file)
  }

  /**
   * The association, or another one once something that can be converted is not taken as it is stored. Not before: gdcm 3.0 as a
   * destination ends when it is offered a class in several contexts.
   */
  async #widened(association: ScuAssociation, file: PlannedFile): Promise<ScuAssociation> {
    const isTaken = association.contexts.get(this.#contextIDs.get(pairOf(file)) ?? 0)?.result === 0
    if (isTaken || this.#converting || syntaxesFor(file.transferSyntaxUID).length === 1) return association
    this.#converting = true
    await this.close()
    return await this.#associationFor(file)
  }

  /** The accepted context that suits a file best; where there is none, its own. */
  #contextFor(association: ScuAssociation, file: PlannedFile): { contextID: number; as: string } {
    const { sopClassUID, transferSyntaxUID } = file
    for (const as of syntaxesFor(transferSyntaxUID)) {
      const contextID = this.#contextIDs.get(pairOf({ sopClassUID, transferSyntaxUID: as })) ?? 0
      const answered = association.contexts.get(contextID)
      if (answered?.result === 0 && answered.transferSyntax === as) return { contextID, as }
    }
    return { contextID: this.#contextIDs.get(pairOf(file)) ?? 0, as: transferSyntaxUID }
  }
}

/** What is proposed: every pair, and as far as there are contexts left what the latest of them can be converted to. */
function proposals(pairs: ReadonlyMap<string, Pair>): Map<string, Pair> {
  const proposed = new Map(pairs)
  for (const { sopClassUID, transferSyntaxUID: stored } of [...pairs.values()].reverse())
    for (const transferSyntaxUID of syntaxesFor(stored)) {
      if (proposed.size === maximumContexts) return proposed
      const pair = { sopClassUID, transferSyntaxUID }
      if (!proposed.has(pairOf(pair))) proposed.set(pairOf(pair), pair)
    }
  return proposed
}

const pairOf = (file: Pair): string => `${file.sopClassUID} ${file.transferSyntaxUID}`
