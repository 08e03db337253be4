import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { textsOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readHead } from '../dicom/head.ts'
import { SOP } from '../dicom/sop-class.ts'
import { type CommandSet, commandField, encodeCommandSet } from './command-set.ts'
import type { QueryLevel, QueryModel } from './find.ts'
import { readableSyntaxes } from './readable-syntaxes.ts'
import { withDataSet } from './response.ts'
import type { ScuOptions } from './scu-options.ts'
import { describeStatus, dimseStatus, isPending } from './status.ts'
import { withAssociation } from './with-association.ts'

export interface MoveRequest {
  model: QueryModel
  level: QueryLevel
  /** Unique keys of what is to be moved; Query/Retrieve Level is added. */
  keys: DicomJson
  /** AE title that the peer is to send to. */
  destination: string
}

/** Numbers of sub-operations. */
export interface MoveProgress {
  remaining: number
  completed: number
  failed: number
  warning: number
}

export interface MoveReport extends MoveProgress {
  /** Of the last response: 0 is Success, 0xB000 that some sub-operations failed. */
  status: number
  /** The status in words, and the peer's comment; null after Success. */
  reason: string | null
  /** SOP Instance UIDs that could not be sent, where the peer names them. */
  failedInstances: string[]
}

/** ms without a response: peers need not tell about pending sub-operations, and sending a study takes its time. */
const defaultTimeoutMs = 10 * 60_000

const moveClass = { study: SOP.studyRootMove, patient: SOP.patientRootMove } as const

/**
 * C-MOVE: has a peer send instances to a destination that it knows (PS3.4 C.4.2).
 * @returns the last response, whatever its status
 * @throws {DimseError} what ended the association
 */
export async function moveInstances(
  peer: ScuOptions,
  request: MoveRequest,
  options: { onProgress?(progress: MoveProgress): void; signal?: AbortSignal } = {},
): Promise<MoveReport> {
  const abstractSyntax = moveClass[request.model]
  const contexts = [{ id: 1, abstractSyntax, transferSyntaxes: readableSyntaxes }]
  return await withAssociation(
    { timeoutMs: defaultTimeoutMs, ...peer, signal: options.signal ?? peer.signal },
    { contexts },
    async (association) => {
      const { id, transferSyntax } = association.contextFor(abstractSyntax)
      const identifier = encodeDataSet({ ...request.keys, QueryRetrieveLevel: request.level }, transferSyntax)
      const command = encodeCommandSet([
        [0x0002, abstractSyntax],
        [0x0100, commandField.cMoveRQ],
        [0x0110, association.nextMessageID()],
        [0x0600, request.destination],
        [0x0700, 0], // medium priority
        [0x0800, withDataSet],
      ])
      await association.writeMessage(id, command, identifier)
      for (;;) {
        const { command: response, dataSet } = await association.next()
        const status = response.status ?? dimseStatus.processingFailure
        options.onProgress?.(progressOf(response))
        if (!isPending(status)) return reportOf(response, status, failedIn(dataSet, transferSyntax))
      }
    },
  )
}

/** What statuses mean that C-STORE uses for something else (PS3.4 table C.4-2). */
const statusesOfMove: Readonly<Record<number, string>> = {
  [dimseStatus.outOfResourcesForMatches]: 'Unable to calculate the number of matches',
  [dimseStatus.unableToPerformSubOperations]: 'Unable to perform sub-operations',
  [dimseStatus.dataSetDoesNotMatchSOPClass]: 'Identifier does not match SOP class',
  [dimseStatus.subOperationsFailed]: 'Sub-operations complete, with failures or warnings',
}

const progressOf = ({ remaining, completed, failed, warning }: CommandSet): MoveProgress => ({
  remaining: remaining ?? 0,
  completed: completed ?? 0,
  failed: failed ?? 0,
  warning: warning ?? 0,
})

function reportOf(response: CommandSet, status: number, failedInstances: string[]): MoveReport {
  const comment = response.errorComment ? `: ${response.errorComment}` : ''
  const reason = status === dimseStatus.success ? null : `${describeStatus(status, statusesOfMove)}${comment}`
  return { ...progressOf(response), status, reason, failedInstances }
}

function failedIn(dataSet: Buffer | null, transferSyntaxUID: string): string[] {
  if (dataSet === null) return []
  return textsOf(readHead(dataSet, { transferSyntaxUID }).elements, 'FailedSOPInstanceUIDList')
}
