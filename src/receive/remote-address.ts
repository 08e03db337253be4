import type { Peer } from '../dimse/scu-association.ts'
import type { RemoteAddress } from './questions.ts'

/** Whom to call, as the functions of `dimse` take it. */
export function calledRemote({ aeTitle, host, port, tls }: RemoteAddress): Omit<Peer, 'callingAETitle'> {
  return { host, port, calledAETitle: aeTitle, tls }
}
