import type { Config } from '../config.ts'
import { isUIDText } from '../dicomweb/uid-parameter.ts'
import { type FetchedStudy, fetchPriors, type PriorsQuery } from '../flow/fetch-priors.ts'
import type { RemoteAddress } from '../receive/questions.ts'
import { type Remote, storedRemotes } from '../store/remotes.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum fetch --from AE (--patient ID | --study UID | --accession NUMBER) [--modality CT] [--before DATE] [--limit N]

Has studies sent here from a remote: asks it by C-FIND, then has it send them to this node by C-MOVE. The
node has to be running, and the remote has to know its AE title with its address and port.
  --from AE            AE title of the remote; it needs a host
  --patient ID         the patient's studies
  --study UID          the study of that Study Instance UID
  --accession NUMBER   the studies of that accession number
  --modality CT        only studies that have the modality
  --before DATE        only studies of days before it: YYYY-MM-DD or YYYYMMDD
  --limit N            so many studies at most, the newest first (default: 10)
  --dry-run            show the studies, fetch nothing
  --config FILE        the configuration file (default: config/hilum.yaml)

Exit code 0 when everything that was found has come, 1 when not, or when nothing was found.`

/** `hilum fetch`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    from: { type: 'string' },
    patient: { type: 'string' },
    study: { type: 'string' },
    accession: { type: 'string' },
    modality: { type: 'string' },
    before: { type: 'string' },
    limit: { type: 'string' },
    'dry-run': { type: 'boolean' },
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  if (positionals.length > 0) throw new UsageError(`fetch: ${positionals[0]} is not expected`, usage)
  const query = queryOf(values)
  const config = configOf(values)
  const studies = await fetchPriors({
    remote: await remoteOf(config, values.from),
    aeTitle: config.aeTitle,
    query,
    dryRun: values['dry-run'] ?? false,
    onStudy: (study) => print(lineOf(study)),
  })
  const missing = studies.filter(({ reason }) => reason !== null)
  print(summaryOf(studies, missing.length, values['dry-run'] ?? false))
  return studies.length > 0 && missing.length === 0 ? 0 : 1
}

type Values = Partial<Record<'patient' | 'study' | 'accession' | 'modality' | 'before' | 'limit', string>>

function queryOf(values: Values): PriorsQuery {
  const { patient, study, accession, modality, before, limit } = values
  if ([patient, study, accession].filter(Boolean).length !== 1)
    throw new UsageError('fetch: name one of --patient, --study and --accession', usage)
  if (study !== undefined && !isUIDText(study)) throw new UsageError(`fetch: --study ${study} is no UID`, usage)
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit))
    throw new UsageError(`fetch: --limit ${limit} is no number from 1 to 999999`, usage)
  return {
    ...(patient && { patientID: patient }),
    ...(study && { studyInstanceUID: study }),
    ...(accession && { accessionNumber: accession }),
    ...(modality && { modality: modality.toUpperCase() }),
    ...(before !== undefined && { before: dateOf(before) }),
    ...(limit !== undefined && { limit: Number(limit) }),
  }
}

function dateOf(text: string): string {
  const [, year = '', month = '', day = ''] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text) ?? []
  if (Number.isNaN(Date.parse(`${year}-${month}-${day}`)))
    throw new UsageError(`fetch: --before ${text}: a date is expected, as in 2024-01-31`, usage)
  return `${year}${month}${day}`
}

async function remoteOf(config: Config, aeTitle: string | undefined): Promise<RemoteAddress> {
  if (aeTitle === undefined) throw new UsageError('fetch: --from AE is missing', usage)
  const callable: RemoteAddress[] = []
  for (const { aeTitle: known, host, port, tls } of [...config.remotes, ...(await addedRemotes(config))])
    if (host != null) callable.push({ aeTitle: known, host, port, tls: tls ?? null })
  const remote = callable.find((known) => known.aeTitle === aeTitle)
  if (remote) return remote
  const names = callable.map((known) => known.aeTitle).join(', ')
  throw new UsageError(`fetch: ${aeTitle} is no remote with a host${names === '' ? '' : `; there are ${names}`}`, '')
}

/** Those that were added while the node ran. */
async function addedRemotes(config: Config): Promise<Remote[]> {
  return withDatabase(config, async (database) =>
    database && (await database.schema.hasTable('remotes')) ? await storedRemotes(database) : [],
  )
}

function lineOf({ studyInstanceUID, studyDate, modalities, instances, completed, reason }: FetchedStudy): string {
  const date = studyDate === null ? '-' : studyDate.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')
  const held = `${instances ?? '?'} instance${instances === 1 ? '' : 's'}`
  const came = completed === null ? held : `${completed} of ${held} came${reason === null ? '' : `: ${reason}`}`
  return `${date.padEnd(10)}  ${modalities.join(',').padEnd(8)}  ${studyInstanceUID}  ${came}`
}

function summaryOf(studies: readonly FetchedStudy[], missing: number, dryRun: boolean): string {
  if (studies.length === 0) return 'no study was found'
  const count = `${studies.length} ${studies.length === 1 ? 'study' : 'studies'}`
  if (dryRun) return `${count} found`
  return missing === 0 ? `${count} fetched` : `${count} found; ${missing} did not come whole`
}
