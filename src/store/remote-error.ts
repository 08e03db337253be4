import { HilumError } from '../errors.ts'

/**
 * Why a remote cannot be added, changed, called or admitted.
 * - `bad-definition`: an address or a file in it is not one
 * - `remote-unknown`: there is no remote of that AE title
 * - `remote-exists`: there is one already
 * - `remote-in-file`: the configuration file names it, and has the last word
 * - `remote-without-host`: nobody has said where it listens
 * - `refusal-unknown`: no such refused caller is remembered
 * - `admission-useless`: adding the caller to the remotes would not change its refusal
 */
export type RemoteErrorCode =
  | 'bad-definition'
  | 'remote-unknown'
  | 'remote-exists'
  | 'remote-in-file'
  | 'remote-without-host'
  | 'refusal-unknown'
  | 'admission-useless'

/** A request about remotes that cannot be done; the message says why. */
export class RemoteError extends HilumError<RemoteErrorCode> {}
