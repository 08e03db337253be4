import { stat } from 'node:fs/promises'
import path from 'node:path'
import { parseAETitle } from '../dicom/ae-title.ts'
import { sendInstances } from '../dimse/send.ts'
import { messageOf } from '../errors.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { filesUnder } from './files-under.ts'

const usage = `hilum send FILES… [--to AE@HOST:PORT] [--from AE]

Sends DICOM files, and every DICOM file in the folders named, over one association (C-STORE).
  --to AE@HOST:PORT   the receiver (default: the node of the configuration on this machine)
  --from AE           the calling AE title (default: HILUM-SEND)
  --config FILE       the configuration file (default: config/hilum.yaml)

Exit code 0 when every file was stored, 1 when not.`

interface Receiver {
  aeTitle: string
  host: string
  port: number
}

/** `hilum send`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, { to: { type: 'string' }, from: { type: 'string' } })
  if (!parsed) return 0
  const { values, positionals } = parsed
  if (positionals.length === 0) throw new UsageError('send: name at least one file or folder', usage)
  const to = values.to === undefined ? ownNode(values) : parseReceiver(values.to)
  const files = await filesToSend(positionals)
  if (files.length === 0) {
    process.stderr.write('there is no DICOM file to send\n')
    return 1
  }
  const begun = performance.now()
  const report = await sendInstances({
    host: to.host,
    port: to.port,
    calledAETitle: to.aeTitle,
    callingAETitle: callingAETitle(values.from ?? 'HILUM-SEND'),
    files,
    ...(process.stderr.isTTY ? { onProgress: (_, { done, total }) => showProgress(done, total) } : {}),
  })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const failed = report.files.filter((file) => file.retry !== null)
  for (const file of failed) process.stderr.write(`${file.path}: ${file.reason ?? 'not stored'}\n`)
  for (const { path: file, reason } of report.files.filter((f) => f.retry === null && f.reason !== null)) {
    process.stderr.write(`${file}: stored, with a warning: ${reason}\n`)
  }
  const elapsed = (performance.now() - begun) / 1000
  print(
    `${report.stored} of ${files.length} stored at ${to.aeTitle}@${to.host}:${to.port} in ${elapsed.toFixed(1)} s${failed.length > 0 ? `; ${failed.length} not stored` : ''}`,
  )
  return failed.length === 0 ? 0 : 1
}

function ownNode(values: { config?: string | undefined }): Receiver {
  const { aeTitle, dimse } = configOf(values)
  const host = dimse.host === '0.0.0.0' || dimse.host === '::' ? '127.0.0.1' : dimse.host
  return { aeTitle, host, port: dimse.port }
}

/**
 * `AE@host:port`, also with an IPv6 address in brackets.
 * @throws UsageError
 */
export function parseReceiver(text: string): Receiver {
  const found = /^(?<ae>[^@]+)@(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:@\s]+)):(?<port>\d{1,5})$/.exec(text)?.groups
  const port = Number(found?.port)
  if (!found || port < 1 || port > 65_535)
    throw new UsageError(`--to ${text}: expected AE@host:port, as in PACS@10.0.0.9:104`, usage)
  return { aeTitle: callingAETitle(found.ae ?? ''), host: found.v6 ?? found.host ?? '', port }
}

function callingAETitle(text: string): string {
  try {
    return parseAETitle(text)
  } catch (error) {
    throw new UsageError(messageOf(error), usage)
  }
}

/** Files as they are named; of folders, the files that begin like a DICOM file. */
async function filesToSend(names: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const name of names) {
    const found = await stat(name).catch(() => null)
    if (!found) throw new UsageError(`${name}: no such file or folder`, usage)
    if (found.isDirectory()) files.push(...(await filesUnder(name)))
    else files.push(path.resolve(name))
  }
  return files
}

function showProgress(done: number, total: number): void {
  process.stderr.write(`\r${done} of ${total}`)
}
