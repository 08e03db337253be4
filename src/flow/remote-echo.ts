import { echo } from '../dimse/echo.ts'
import { DimseError } from '../dimse/error.ts'
import { describeStatus, dimseStatus } from '../dimse/status.ts'
import { RemoteError } from '../store/remote-error.ts'
import type { Remote } from '../store/remotes.ts'

/** The answer to "does this remote answer?", for a person. */
export interface RemoteEcho {
  aeTitle: string
  host: string
  port: number
  ok: boolean
  ms: number
  sentence: string
}

const timeoutMs = 10_000

/**
 * C-ECHO to a remote. What goes wrong is said in the answer, with what may be done about it.
 * @param callingAETitle the node's own
 * @throws RemoteError `remote-without-host`
 */
export async function echoRemote(remote: Remote, callingAETitle: string): Promise<RemoteEcho> {
  const { aeTitle, host, port, tls } = remote
  if (host === null)
    throw new RemoteError('remote-without-host', `nobody has said where ${aeTitle} listens: it has no host`)
  const began = performance.now()
  const answer = (ok: boolean, sentence: string): RemoteEcho => {
    return { aeTitle, host, port, ok, ms: Math.round(performance.now() - began), sentence }
  }
  try {
    const { status } = await echo({ host, port, callingAETitle, calledAETitle: aeTitle, tls, timeoutMs })
    return status === dimseStatus.success
      ? answer(true, `${aeTitle} answers C-ECHO`)
      : answer(false, `${aeTitle} accepts the association, and answers C-ECHO with ${describeStatus(status)}`)
  } catch (error) {
    if (!(error instanceof DimseError)) throw error
    return answer(false, `${error.message}; ${advice(error, callingAETitle)}`)
  }
}

function advice({ code }: DimseError, callingAETitle: string): string {
  switch (code) {
    case 'connection-failed':
      return 'is the host right, does it listen on this port, and does a firewall let the node through?'
    case 'association-rejected':
      return `is the AE title right, and is ${callingAETitle} known there with this node’s address?`
    case 'time-out':
    case 'cancelled':
      return 'something accepts connections there without speaking DICOM, or a firewall drops packets'
    case 'refused':
    case 'association-lost':
    case 'protocol-violation':
      return 'does DICOM listen on this port, with or without TLS as it is configured here?'
  }
}
