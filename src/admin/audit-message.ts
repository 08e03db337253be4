import type { AuditRow } from '../store/audit-chain.ts'
import type { AuditCode, AuditEvent } from './audit-events.ts'
import { auditEventOf, eventIDs } from './audit-events.ts'

/** What an entry tells beside who, what and when. */
export interface AuditDetail {
  /** IP address or host of whoever acted. */
  address?: string
  /** AE title of whoever acted. */
  aeTitle?: string
  /** Where data went or came from: an AE title, a destination's name. */
  peer?: string
  /** The other side's address. */
  peerAddress?: string
  patientID?: string
  /** Of the study, by SOP class UID; or all of them under an empty name. */
  instances?: Record<string, number>
  /** Requests that one entry stands for. */
  requests?: number
  /** Until when, ISO 8601. */
  until?: string
  query?: string
  /** SOP class of the query. */
  sopClassUID?: string
  /** Why it did not work, without patient data. */
  reason?: string
}

export interface AuditSource {
  /** Names the node in all its messages. */
  id: string
  site?: string | undefined
}

const roleIDs = {
  application: ['110150', 'DCM', 'Application'],
  launcher: ['110151', 'DCM', 'Application Launcher'],
  destination: ['110152', 'DCM', 'Destination Role ID'],
  source: ['110153', 'DCM', 'Source Role ID'],
  media: ['110154', 'DCM', 'Destination Media'],
} as const satisfies Record<string, AuditCode>

/**
 * An entry of the audit as a DICOM audit message (PS3.15 A.5.1.1), in one line.
 * @param source the node
 */
export function auditMessage(row: AuditRow, source: AuditSource): string {
  const detail = detailOf(row)
  const event = auditEventOf(row.action)
  const described = { row, detail, event, source }
  return [
    '<?xml version="1.0" encoding="UTF-8"?><AuditMessage>',
    eventIdentification(described),
    ...participants(described),
    element('AuditSourceIdentification', { AuditEnterpriseSiteID: source.site, AuditSourceID: source.id }, [
      element('AuditSourceTypeCode', { 'csd-code': '4' }),
    ]),
    ...objects(described),
    '</AuditMessage>',
  ].join('')
}

/** The detail of a row; empty where there is none, or it was tampered with so that it cannot be read. */
export function detailOf(row: Pick<AuditRow, 'detail'>): AuditDetail {
  if (row.detail === null) return {}
  try {
    return JSON.parse(row.detail) as AuditDetail
  } catch {
    return {}
  }
}

interface Described {
  row: AuditRow
  detail: AuditDetail
  event: AuditEvent
  source: AuditSource
}

function eventIdentification({ row, detail, event }: Described): string {
  const failed = row.outcome !== 'success'
  return element(
    'EventIdentification',
    {
      EventActionCode: event.actionCode,
      EventDateTime: row.at,
      EventOutcomeIndicator: failed ? '4' : '0',
    },
    [
      code('EventID', event.id),
      ...(event.type ? [code('EventTypeCode', event.type)] : []),
      // What Hilum itself calls it: finer than the standard's events.
      code('EventTypeCode', [row.action, '99HILUM', row.action.replaceAll('-', ' ')]),
      ...(failed && detail.reason ? [element('EventOutcomeDescription', {}, [text(detail.reason)])] : []),
    ],
  )
}

/** Which side of a transfer the node is on. */
function participants({ row, detail, event, source }: Described): string[] {
  const asks = { UserID: row.actor, AlternativeUserID: aeTitles(detail.aeTitle), ...accessPoint(detail.address) }
  const node = { UserID: source.id, AlternativeUserID: `PID=${process.pid}` }
  const peer = { UserID: detail.peer ?? '', ...accessPoint(detail.peerAddress) }
  switch (event.id) {
    case eventIDs.applicationActivity:
      return [participant(node, false, [roleIDs.application]), participant(asks, true, [roleIDs.launcher])]
    case eventIDs.instancesTransferred:
    case eventIDs.dataImport: {
      const incoming = event.actionCode === 'C'
      if (incoming) return [participant(asks, true, [roleIDs.source]), participant(node, false, [roleIDs.destination])]
      if (detail.peer === undefined)
        return [participant(node, false, [roleIDs.source]), participant(asks, true, [roleIDs.destination])]
      return [
        participant(node, false, [roleIDs.source]),
        participant(peer, false, [roleIDs.destination]),
        participant(asks, true, []),
      ]
    }
    case eventIDs.beginTransferring:
      return [
        participant(node, false, [roleIDs.source]),
        participant(detail.peer === undefined ? asks : peer, detail.peer === undefined, [roleIDs.destination]),
        ...(detail.peer === undefined ? [] : [participant(asks, true, [])]),
      ]
    case eventIDs.dataExport:
      return [
        participant(asks, true, []),
        participant(node, false, [roleIDs.source]),
        ...(detail.peer === undefined ? [] : [participant(peer, false, [roleIDs.destination])]),
      ]
    case eventIDs.query:
      return [participant(asks, true, [roleIDs.source]), participant(node, false, [roleIDs.destination])]
    case eventIDs.userAuthentication:
      return [participant(asks, true, []), participant(node, false, [])]
    default:
      return [participant(asks, true, [])]
  }
}

function participant(
  user: Record<string, string | undefined>,
  requestor: boolean,
  roles: readonly AuditCode[],
): string {
  const { UserID, AlternativeUserID, ...accessPointOf } = user
  return element(
    'ActiveParticipant',
    { UserID, AlternativeUserID, UserIsRequestor: String(requestor), ...accessPointOf },
    roles.map((role) => code('RoleIDCode', role)),
  )
}

function accessPoint(address: string | undefined): Record<string, string> {
  if (address === undefined || address === '') return {}
  const isIP = /^[\d.]+$/.test(address) || address.includes(':')
  return { NetworkAccessPointID: address, NetworkAccessPointTypeCode: isIP ? '2' : '1' }
}

function aeTitles(aeTitle: string | undefined): string | undefined {
  return aeTitle === undefined ? undefined : `AETITLES=${aeTitle}`
}

function objects(described: Described): string[] {
  const { row, detail, event } = described
  const found: string[] = []
  if (event.id === eventIDs.auditLogUsed) found.push(auditLog())
  if (event.id === eventIDs.query) found.push(query(detail))
  if (row.study_instance_uid !== null) found.push(study(row.study_instance_uid, described))
  if (row.study_instance_uid !== null && event.id !== eventIDs.query) found.push(patient(detail.patientID ?? ''))
  if (row.subject !== null && event.id !== eventIDs.auditLogUsed && row.subject !== row.study_instance_uid)
    found.push(subject(row.subject, detail))
  return found
}

const auditLog = (): string =>
  object(
    { ParticipantObjectID: '/api/audit', ParticipantObjectTypeCode: '2', ParticipantObjectTypeCodeRole: '13' },
    ['12', 'RFC-3881', 'URI'],
    [name('Security Audit Log')],
  )

function study(uid: string, { detail, event }: Described): string {
  const counts = Object.entries(detail.instances ?? {})
  const described = element(
    'ParticipantObjectDescription',
    {},
    counts.map(([sopClassUID, count]) =>
      element('SOPClass', { UID: sopClassUID === '' ? undefined : sopClassUID, NumberOfInstances: String(count) }),
    ),
  )
  return object(
    {
      ParticipantObjectID: uid,
      ParticipantObjectTypeCode: '2',
      ParticipantObjectTypeCodeRole: '3',
      ParticipantObjectDataLifeCycle: event.id === eventIDs.studyDeleted ? '15' : undefined,
    },
    ['110180', 'DCM', 'Study Instance UID'],
    [name(''), ...requests(detail), ...(counts.length > 0 ? [described] : [])],
  )
}

function patient(patientID: string): string {
  return object(
    { ParticipantObjectID: patientID, ParticipantObjectTypeCode: '1', ParticipantObjectTypeCodeRole: '1' },
    ['2', 'RFC-3881', 'Patient Number'],
    [name('')],
  )
}

function query(detail: AuditDetail): string {
  const asked = element('ParticipantObjectQuery', {}, [base64(detail.query ?? '')])
  const type: AuditCode =
    detail.sopClassUID === undefined ? ['10', 'RFC-3881', 'Search Criteria'] : ['110181', 'DCM', 'SOP Class UID']
  return object(
    {
      ParticipantObjectID: detail.sopClassUID ?? 'QIDO-RS',
      ParticipantObjectTypeCode: '2',
      ParticipantObjectTypeCodeRole: detail.sopClassUID === undefined ? '24' : '3',
    },
    type,
    // PS3.18 F: the data set of the query as DICOM JSON, or QIDO-RS's own parameters.
    [
      asked,
      valuePair(
        'ContentType',
        detail.sopClassUID === undefined ? 'application/x-www-form-urlencoded' : 'application/dicom+json',
      ),
      ...requests(detail),
    ],
  )
}

function subject(id: string, detail: AuditDetail): string {
  return object(
    { ParticipantObjectID: id, ParticipantObjectTypeCode: '2', ParticipantObjectTypeCodeRole: '13' },
    ['12', 'RFC-3881', 'URI'],
    [name(''), ...(detail.reason ? [valuePair('Alert Description', detail.reason)] : [])],
  )
}

function requests({ requests: number, until }: AuditDetail): string[] {
  return [
    ...(number === undefined ? [] : [valuePair('Requests', String(number))]),
    ...(until === undefined ? [] : [valuePair('Until', until)]),
  ]
}

function object(attributes: Record<string, string | undefined>, type: AuditCode, contents: string[]): string {
  return element('ParticipantObjectIdentification', attributes, [
    code('ParticipantObjectIDTypeCode', type),
    ...contents,
  ])
}

function name(value: string): string {
  return element('ParticipantObjectName', {}, [text(value)])
}

function valuePair(type: string, value: string): string {
  return element('ParticipantObjectDetail', { type, value: base64(value) })
}

function base64(value: string): string {
  return Buffer.from(value, 'utf8').toString('base64')
}

function code(tag: string, [value, system, meaning]: AuditCode): string {
  return element(tag, { 'csd-code': value, codeSystemName: system, originalText: meaning })
}

function element(
  tag: string,
  attributes: Record<string, string | undefined>,
  contents: readonly string[] = [],
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${text(value ?? '')}"`)
    .join('')
  return contents.length === 0 ? `<${tag}${written}/>` : `<${tag}${written}>${contents.join('')}</${tag}>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** What XML 1.0 forbids: control characters, halves of surrogate pairs, and two that are none (2.2). */
const forbidden = /[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu

/** Text of XML 1.0, on one line: what no document may contain becomes U+FFFD. */
function text(value: string): string {
  return value
    .replace(/[&<>"]/g, (letter) => entities[letter] ?? letter)
    .replace(/[\t\r\n]/g, (letter) => `&#${letter.charCodeAt(0)};`)
    .replace(forbidden, '\ufffd')
}
