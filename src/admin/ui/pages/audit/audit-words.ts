/** Acts of the audit whose names say too little, in words. */
const names: Readonly<Record<string, string>> = {
  'study-view': 'Looked at a study',
  'study-list': 'Looked for studies',
  'audit-read': 'Read the audit',
  'audit-verify': 'Verified the audit',
  'audit-export': 'Exported the audit',
  login: 'Logged in',
  logout: 'Logged out',
  'user-create': 'Added a user',
  'user-remove': 'Removed a user',
  'user-role': 'Gave a user another role',
  'user-disable': 'Disabled or enabled a user',
  'user-password': 'Gave a one-time password',
  'password-change': 'Changed the own password',
  'token-create': 'Made a token',
  'token-revoke': 'Revoked a token',
  'remote-admit': 'Admitted a refused caller',
  'remote-forget': 'Forgot a refused caller',
  'queue-pause': 'Paused a part of the queue',
  'queue-resume': 'Resumed a part of the queue',
  'queue-retry': 'Retried failed jobs',
  'job-retry': 'Retried a job',
  'job-cancel': 'Ended a job',
  'quarantine-reingest': 'Took in from quarantine',
  'quarantine-discard': 'Discarded from quarantine',
  'quarantine-download': 'Downloaded from quarantine',
}

/** `destination-add` as `Destination: add`, where it has no name of its own. */
export function actionName(action: string): string {
  const name = names[action]
  if (name !== undefined) return name
  const [what = '', ...rest] = action.split('-')
  const first = what.charAt(0).toUpperCase() + what.slice(1)
  return rest.length === 0 ? first : `${first}: ${rest.join(' ')}`
}
