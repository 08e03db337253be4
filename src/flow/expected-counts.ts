import type { CountingArchive } from '../assemble/archive-counts.ts'
import type { Config } from '../config.ts'
import type { Destinations } from '../deliver/destinations.ts'
import { numberOf, textOf } from '../dicom/dataset.ts'
import { findMatches } from '../dimse/find.ts'
import type { ScuOptions } from '../dimse/scu-association.ts'
import { HilumError } from '../errors.ts'
import type { RemoteAddress } from '../receive/questions.ts'
import { calledRemote } from '../receive/remote-address.ts'

/** What archives are reached by. */
export interface CountParts {
  destinations: Pick<Destinations, 'get'>
  /** Where an application entity listens; null where that is not known. */
  remote: (aeTitle: string) => RemoteAddress | null
  /** The node's own AE title. */
  aeTitle: string
}

/** The archives of `assemble.expect`, in their order. */
export function countingArchives(expect: Config['assemble']['expect'], parts: CountParts): CountingArchive[] {
  return expect.map((archive) =>
    archive.kind === 'c-find' ? byFind(archive.remote, parts) : byQido(archive.destination, parts),
  )
}

function byQido(name: string, { destinations }: CountParts): CountingArchive {
  return {
    name,
    destination: name,
    async count(studyInstanceUID, signal) {
      const destination = destinations.get(name)
      if (destination === undefined) throw new HilumError('destination-unknown', `no destination is called "${name}"`)
      return await destination.countInstances(studyInstanceUID, signal)
    },
  }
}

function byFind(name: string, { remote, aeTitle }: CountParts): CountingArchive {
  return {
    name,
    // The same archive may be a destination under another name.
    destination: null,
    async count(studyInstanceUID, signal) {
      const address = remote(name)
      if (address === null) throw new HilumError('remote-without-host', `nobody has said where ${name} listens`)
      return await countByFind({ ...calledRemote(address), callingAETitle: aeTitle }, studyInstanceUID, signal)
    },
  }
}

/**
 * How many instances a remote says that a study has: C-FIND by study root at study level (PS3.4 C.6.2) with Number of Study Related
 * Instances (0020,1208) as return key.
 * @returns null where it does not know the study, or does not say
 * @throws {DimseError}
 */
export async function countByFind(
  peer: ScuOptions,
  studyInstanceUID: string,
  signal: AbortSignal,
): Promise<number | null> {
  const keys = { '0020000D': { vr: 'UI', Value: [studyInstanceUID] }, '00201208': { vr: 'IS' } }
  for await (const match of findMatches(peer, { model: 'study', level: 'STUDY', keys, signal })) {
    if (textOf(match, 'StudyInstanceUID') === studyInstanceUID) return numberOf(match, 'NumberOfStudyRelatedInstances')
  }
  return null
}
