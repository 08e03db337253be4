/** A code of PS3.16, or of RFC 3881: value, system, meaning. */
export type AuditCode = readonly [value: string, system: string, meaning: string]

const dcm = (value: string, meaning: string): AuditCode => [value, 'DCM', meaning]

/** Event IDs (PS3.16 CID 400). */
export const eventIDs = {
  applicationActivity: dcm('110100', 'Application Activity'),
  auditLogUsed: dcm('110101', 'Audit Log Used'),
  beginTransferring: dcm('110102', 'Begin Transferring DICOM Instances'),
  instancesAccessed: dcm('110103', 'DICOM Instances Accessed'),
  instancesTransferred: dcm('110104', 'DICOM Instances Transferred'),
  studyDeleted: dcm('110105', 'DICOM Study Deleted'),
  dataExport: dcm('110106', 'Export'),
  dataImport: dcm('110107', 'Import'),
  query: dcm('110112', 'Query'),
  securityAlert: dcm('110113', 'Security Alert'),
  userAuthentication: dcm('110114', 'User Authentication'),
} as const

/** Event type codes (PS3.16 CID 401, 402, 403). */
const types = {
  applicationStart: dcm('110120', 'Application Start'),
  applicationStop: dcm('110121', 'Application Stop'),
  login: dcm('110122', 'Login'),
  logout: dcm('110123', 'Logout'),
  nodeAuthentication: dcm('110126', 'Node Authentication'),
  networkConfiguration: dcm('110128', 'Network Configuration'),
  securityConfiguration: dcm('110129', 'Security Configuration'),
  softwareConfiguration: dcm('110131', 'Software Configuration'),
  restrictedFunction: dcm('110132', 'Use of Restricted Function'),
  rolesChanged: dcm('110136', 'Security Roles Changed'),
  userAttributesChanged: dcm('110137', 'User Security Attributes Changed'),
} as const

/** How an act is told in a DICOM audit message. */
export interface AuditEvent {
  id: AuditCode
  type: AuditCode | null
  /** Create, read, update, delete, execute. */
  actionCode: 'C' | 'R' | 'U' | 'D' | 'E'
}

const alert = (type: AuditCode): AuditEvent => ({ id: eventIDs.securityAlert, type, actionCode: 'E' })
const event = (id: AuditCode, actionCode: AuditEvent['actionCode'], type: AuditCode | null = null): AuditEvent => ({
  id,
  type,
  actionCode,
})

/** Acts by the beginning of their names; the first that fits counts. */
const events: readonly (readonly [beginning: string, event: AuditEvent])[] = [
  ['node-start', event(eventIDs.applicationActivity, 'E', types.applicationStart)],
  ['node-stop', event(eventIDs.applicationActivity, 'E', types.applicationStop)],
  ['login', event(eventIDs.userAuthentication, 'E', types.login)],
  ['logout', event(eventIDs.userAuthentication, 'E', types.logout)],
  ['association-refused', alert(types.nodeAuthentication)],
  ['audit-', event(eventIDs.auditLogUsed, 'R')],
  ['user-role', alert(types.rolesChanged)],
  ['user-', alert(types.userAttributesChanged)],
  ['password-', alert(types.userAttributesChanged)],
  ['session-', alert(types.userAttributesChanged)],
  ['token-', alert(types.securityConfiguration)],
  ['remote-', alert(types.networkConfiguration)],
  ['destination-', alert(types.networkConfiguration)],
  ['route-', alert(types.softwareConfiguration)],
  ['pipeline-', alert(types.softwareConfiguration)],
  ['schedule-', alert(types.softwareConfiguration)],
  ['notification-', alert(types.softwareConfiguration)],
  ['study-delete', event(eventIDs.studyDeleted, 'D')],
  ['study-view', event(eventIDs.instancesAccessed, 'R')],
  ['study-store', event(eventIDs.instancesTransferred, 'C')],
  ['study-import', event(eventIDs.dataImport, 'C')],
  ['study-retrieve', event(eventIDs.instancesTransferred, 'R')],
  ['study-move', event(eventIDs.beginTransferring, 'E')],
  ['study-deliver', event(eventIDs.dataExport, 'R')],
  ['study-', event(eventIDs.instancesAccessed, 'U')],
  ['result-', event(eventIDs.instancesAccessed, 'U')],
  ['query', event(eventIDs.query, 'E')],
  ['export-', event(eventIDs.dataExport, 'R')],
  ['feedback-export', event(eventIDs.dataExport, 'R')],
  ['insights-export', event(eventIDs.dataExport, 'R')],
  ['quarantine-download', event(eventIDs.dataExport, 'R')],
]

/** What an act is in PS3.15 A.5.3; what has no message of its own is the use of a restricted function (A.5.3.11). */
export function auditEventOf(action: string): AuditEvent {
  return events.find(([beginning]) => action.startsWith(beginning))?.[1] ?? alert(types.restrictedFunction)
}
