import { textOf, textsOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { findMatches } from '../dimse/find.ts'
import { moveInstances } from '../dimse/move.ts'
import type { ScuOptions } from '../dimse/scu-association.ts'
import { dimseStatus } from '../dimse/status.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { RemoteAddress } from '../receive/questions.ts'
import { calledRemote } from '../receive/remote-address.ts'

/** Which studies are wanted; at least one of the first three is expected. */
export interface PriorsQuery {
  patientID?: string
  studyInstanceUID?: string
  accessionNumber?: string
  /** A modality that the study has. */
  modality?: string
  /** YYYYMMDD: only studies of earlier days. */
  before?: string
  /** Studies at most, the newest first; 10 by default. */
  limit?: number
}

export interface FetchPriorsOptions {
  /** Whom to ask. */
  remote: RemoteAddress
  /** Ours: who asks, and where the studies are to be sent; the remote has to know where that is. */
  aeTitle: string
  query: PriorsQuery
  /** Only finds. */
  dryRun?: boolean
  signal?: AbortSignal
  /** Called when a study has come, or has not; in a dry run, when it is found. */
  onStudy?(study: FetchedStudy): void
}

/** A study of the remote, and what came of it. Without what names the patient. */
export interface FetchedStudy {
  studyInstanceUID: string
  /** YYYYMMDD; null where the remote does not say. */
  studyDate: string | null
  modalities: string[]
  /** As the remote counts them; null where it does not. */
  instances: number | null
  /** Instances that were sent; null where none was asked for. */
  completed: number | null
  failed: number | null
  /** Why not everything came; null where it did. */
  reason: string | null
}

/** What can go wrong: the remote cannot be asked, or the question names nothing. */
export class FetchError extends HilumError<'query-failed' | 'nothing-named'> {}

const defaultLimit = 10
/** Answers of the remote that are looked at. */
const maximumMatches = 5000
/** ms without a byte: archives that have to load a study from tape take their time. */
const moveTimeoutMs = 600_000

/**
 * Fetches studies from a remote: asks it by C-FIND, and has it send them here by C-MOVE, one after the other (PS3.4 C.4, study root).
 * @returns the studies, the newest first, with what came of each: a study that cannot be had does not keep the others from coming
 * @throws {FetchError} where the remote cannot be asked
 */
export async function fetchPriors(options: FetchPriorsOptions): Promise<FetchedStudy[]> {
  const { remote, aeTitle, query, dryRun, signal, onStudy } = options
  if (!query.patientID && !query.studyInstanceUID && !query.accessionNumber)
    throw new FetchError('nothing-named', 'a patient, a study or an accession number is expected')
  const peer = { ...calledRemote(remote), callingAETitle: aeTitle, ...(signal && { signal }) }
  const found = await findStudies(peer, query)
  const studies: FetchedStudy[] = []
  for (const study of found.slice(0, query.limit ?? defaultLimit)) {
    signal?.throwIfAborted()
    const fetched = dryRun ? study : await fetchStudy(peer, study, aeTitle)
    studies.push(fetched)
    onStudy?.(fetched)
  }
  return studies
}

async function findStudies(peer: ScuOptions, query: PriorsQuery): Promise<FetchedStudy[]> {
  const found = new Map<string, FetchedStudy>()
  try {
    const request = { model: 'study', level: 'STUDY', keys: keysOf(query), limit: maximumMatches } as const
    for await (const match of findMatches(peer, request)) {
      const study = studyOf(match)
      if (study !== null && isWanted(study, match, query)) found.set(study.studyInstanceUID, study)
    }
  } catch (error) {
    if (!(error instanceof HilumError)) throw error
    throw new FetchError('query-failed', `${peer.calledAETitle} cannot be asked: ${messageOf(error)}`, {
      retry: error.retry,
      cause: error,
    })
  }
  return [...found.values()].sort((a, b) => (b.studyDate ?? '').localeCompare(a.studyDate ?? ''))
}

function keysOf({ patientID, studyInstanceUID, accessionNumber, modality, before }: PriorsQuery): DicomJson {
  const key = (vr: string, value?: string) => (value ? { vr, Value: [value] } : { vr })
  return {
    '00080020': key('DA', before && `-${before}`),
    '00080050': key('SH', accessionNumber),
    '00080061': key('CS', modality),
    '00100020': key('LO', patientID),
    '0020000D': key('UI', studyInstanceUID),
    '00201208': key('IS'),
  }
}

function studyOf(match: DicomJson): FetchedStudy | null {
  const studyInstanceUID = textOf(match, 'StudyInstanceUID')
  if (studyInstanceUID === null) return null
  const instances = Number(textOf(match, 'NumberOfStudyRelatedInstances') ?? Number.NaN)
  return {
    studyInstanceUID,
    studyDate: textOf(match, 'StudyDate')?.replaceAll('.', '') ?? null,
    modalities: textsOf(match, 'ModalitiesInStudy').filter((modality) => modality !== ''),
    instances: Number.isInteger(instances) ? instances : null,
    completed: null,
    failed: null,
    reason: null,
  }
}

/** Keys that a remote does not support match everything: what came all the same is left out. */
function isWanted(study: FetchedStudy, match: DicomJson, query: PriorsQuery): boolean {
  const { studyDate, modalities, studyInstanceUID } = study
  const differs = (wanted: string | undefined, is: string | null) => Boolean(wanted) && is !== null && is !== wanted
  if (differs(query.studyInstanceUID, studyInstanceUID)) return false
  if (differs(query.patientID, textOf(match, 'PatientID'))) return false
  if (differs(query.accessionNumber, textOf(match, 'AccessionNumber'))) return false
  // An archive that does not tell the modalities may have matched them all the same.
  if (query.modality && modalities.length > 0 && !modalities.includes(query.modality)) return false
  return !query.before || (studyDate !== null && studyDate < query.before)
}

async function fetchStudy(peer: ScuOptions, study: FetchedStudy, destination: string): Promise<FetchedStudy> {
  const keys = { '0020000D': { vr: 'UI', Value: [study.studyInstanceUID] } }
  try {
    const { status, completed, warning, failed, reason } = await moveInstances(
      { ...peer, timeoutMs: moveTimeoutMs },
      { model: 'study', level: 'STUDY', keys, destination },
    )
    return { ...study, completed: completed + warning, failed, reason: status === dimseStatus.success ? null : reason }
  } catch (error) {
    if (!(error instanceof HilumError)) throw error
    return { ...study, completed: 0, failed: study.instances, reason: messageOf(error) }
  }
}
