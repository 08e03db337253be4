/** What somebody may be told of, with the words for people. */
export const notificationEvents = {
  received: 'the first instances of a study have arrived',
  completed: 'a study is complete',
  matched: 'a route matches a study',
  finding: 'an inference has measured something',
  critical: 'a finding is critical by the rule of its route',
  delivered: 'results are delivered, and proven to be there',
  failed: 'an inference or a delivery has failed for good',
  late: 'a study is not done within the time that the subscription names',
  disk: 'the disk space is getting low, or is enough again',
  drift: 'inputs or findings of a pipeline have drifted from their reference',
  'destination-down': 'a destination does not take results, or takes them again',
  certificate: 'a certificate expires soon, has expired, or cannot be read',
  quarantine: 'something has arrived that could not be kept',
  schedule: 'something that runs by schedule has failed, or was missed while the node was down',
  report: 'the report of the week',
} as const

export type NotificationEvent = keyof typeof notificationEvents
export const notificationEventNames = Object.keys(notificationEvents) as NotificationEvent[]

/** A value of a result, as it is told. */
export interface ToldFinding {
  name: string
  value: number
  unit: string
  site: string | null
}

/** A picture of a report. */
export interface ToldPicture {
  name: string
  /** PNG, base64. */
  png: string
}

/** What an event says; never who the patient is. */
export interface EventDetail {
  /** One sentence. */
  sentence: string
  studyInstanceUID?: string
  route?: string
  pipeline?: string
  destination?: string
  reason?: string
  findings?: ToldFinding[]
  /** Of a report: HTML and its pictures, which it names as `cid:`. */
  html?: string
  pictures?: ToldPicture[]
}
