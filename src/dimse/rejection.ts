import { DimseError } from './error.ts'

/**
 * What an A-ASSOCIATE-RJ means for whoever asked.
 * @param name whom it comes from
 * @param body its variable part (PS3.8 9.3.4)
 */
export function rejectionError(name: string, body: Buffer): DimseError {
  const [, result = 1, source = 0, reason = 0] = body
  const sentence = `${name} rejected the association: ${describeRejection(source, reason)}`
  const retry = result === 2 ? 'transient' : 'permanent'
  return new DimseError('association-rejected', sentence, { retry, detail: { result, source, reason } })
}

/** Source and reason of an A-ASSOCIATE-RJ in words (PS3.8 table 9-21). */
function describeRejection(source: number, reason: number): string {
  const names: Readonly<Record<string, string>> = {
    '1.1': 'no reason given',
    '1.2': 'application context name not supported',
    '1.3': 'calling AE title not recognized',
    '1.7': 'called AE title not recognized',
    '2.1': 'no reason given',
    '2.2': 'protocol version not supported',
    '3.1': 'temporary congestion',
    '3.2': 'local limit exceeded',
  }
  return names[`${source}.${reason}`] ?? `source ${source}, reason ${reason}`
}
