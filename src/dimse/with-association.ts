import { ScuAssociation } from './scu-association.ts'
import type { ScuOptions, ScuProposal } from './scu-options.ts'

/**
 * Opens an association, has something done on it, and releases it; aborts it when that fails.
 * @throws {DimseError} what `ScuAssociation.open` throws, and what `work` does
 */
export async function withAssociation<T>(
  options: ScuOptions,
  proposal: ScuProposal,
  work: (association: ScuAssociation) => Promise<T>,
): Promise<T> {
  const association = await ScuAssociation.open(options, proposal)
  try {
    const done = await work(association)
    await association.release()
    return done
  } catch (error) {
    association.abort()
    throw error
  }
}
