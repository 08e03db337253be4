import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readHead } from '../../src/dicom/head.ts'
import { encodeFileMeta, parseFileMeta } from '../../src/dicom/part10.ts'
import { transferSyntax } from '../../src/dicom/transfer-syntax.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { sharedData } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'
import { startStorescp } from '../support/storescp.ts'
import { bareDataSets, refused } from './syntaxes-expected.ts'

const folders = ['syntaxes', 'modalities', 'objects'].map((name) => sharedData(name))
const ready = available(...folders) && available('storescu', 'storescp')

/** A data set to send: a file of the public data, or one made of it. */
interface Sample {
  /** Path inside the public data, for people. */
  name: string
  /** A Part 10 file; for a bare data set one that was put around its bytes. */
  file: string
  transferSyntaxUID: string
  sopInstanceUID: string
  /** SHA-256 of the bytes behind the file meta information. */
  digest: string
}

/** How storescu is told to propose a syntax. */
const storescuOptions: Record<string, string> = {
  '1.2.840.10008.1.2': '-xi',
  '1.2.840.10008.1.2.1': '-xe',
  '1.2.840.10008.1.2.1.99': '-xd',
  '1.2.840.10008.1.2.2': '-xb',
  '1.2.840.10008.1.2.4.50': '-xy',
  '1.2.840.10008.1.2.4.51': '-xx',
  '1.2.840.10008.1.2.4.70': '-xs',
  '1.2.840.10008.1.2.4.80': '-xt',
  '1.2.840.10008.1.2.4.81': '-xu',
  '1.2.840.10008.1.2.4.90': '-xv',
  '1.2.840.10008.1.2.4.91': '-xw',
  '1.2.840.10008.1.2.5': '-xr',
}

describe.skipIf(!ready)('every file of the public data, in its own transfer syntax', () => {
  const work = mkdtempSync(path.join(tmpdir(), 'hilum-syntaxes-'))
  const node = new NodeProcess({
    HILUM_ROLES: 'receive,serve',
    HILUM_ASSEMBLE_QUIET: '3600',
    HILUM_ASSEMBLE_RELEASE: '3600',
  })
  let samples: Sample[] = []

  beforeAll(async () => {
    samples = collect(work)
    await node.start()
  })
  afterAll(async () => {
    await node.dispose()
    rmSync(work, { recursive: true, force: true })
  })

  it('is stored bit-identical, or refused for the right reason, when its bytes are sent as they are', async () => {
    const { files } = await sendInstances({ ...here(node), files: samples.map((sample) => sample.file) })
    const kept = await keptDigests(node)
    const outcomes = samples.map((sample, at) => {
      const { status, reason } = files[at] as (typeof files)[number]
      if (status === 0)
        return { sample, outcome: kept.has(sample.digest) ? 'stored bit-identical' : 'STORED DIFFERENTLY' }
      return { sample, outcome: `refused: ${reason}` }
    })
    console.log(tableOf(outcomes, 'hilum send'))
    const wrong = outcomes.filter(({ sample, outcome }) => {
      const expected = refused[sample.name]
      return expected ? !expected.reason.test(outcome) : outcome !== 'stored bit-identical'
    })
    expect(wrong.map(({ sample, outcome }) => `${sample.name}: ${outcome}`)).toEqual([])
    expect(Object.keys(refused).filter((name) => !samples.some((sample) => sample.name === name))).toEqual([])
  })

  it('is stored as storescu sends it, to which storescp bears witness in its bit-preserving mode', async () => {
    const folder = path.join(work, 'witness')
    mkdirSync(folder)
    const witness = await startStorescp(folder)
    const sendToBoth = (round: readonly Sample[], option: string): Map<string, string> => {
      for (const port of [witness.port, node.dimsePort]) storescu(round, option, port)
      return takeWitnesses(folder)
    }
    const sent: { sample: Sample; theirs: string | undefined }[] = []
    try {
      for (const [syntax, option] of Object.entries(storescuOptions))
        for (const round of rounds(samples.filter((sample) => sample.transferSyntaxUID === syntax))) {
          const theirs = sendToBoth(round, option)
          // What broke its association off took the others with it.
          for (const sample of round.filter((one) => !theirs.has(one.sopInstanceUID)))
            for (const [uid, digest] of sendToBoth([sample], option)) theirs.set(uid, digest)
          for (const sample of round) sent.push({ sample, theirs: theirs.get(sample.sopInstanceUID) })
        }
    } finally {
      await witness.stop()
    }
    const kept = await keptDigests(node)
    const outcomes = sent.map(({ sample, theirs }) => {
      if (theirs === undefined) return { sample, outcome: 'not sent: dcmtk does not read it, or not in this syntax' }
      if (kept.has(theirs))
        return { sample, outcome: theirs === sample.digest ? 'stored bit-identical' : 'stored as sent' }
      return { sample, outcome: refused[sample.name] ? 'refused' : 'NOT STORED' }
    })
    console.log(tableOf(outcomes, 'storescu'))
    const stored = outcomes.filter(({ outcome }) => outcome.startsWith('stored'))
    expect(outcomes.filter(({ outcome }) => outcome === 'NOT STORED').map(({ sample }) => sample.name)).toEqual([])
    expect(stored.length).toBeGreaterThan(samples.length / 2)
  })
})

const here = (node: NodeProcess) => ({
  host: '127.0.0.1',
  port: node.dimsePort,
  callingAETitle: 'SYNTAXES',
  calledAETitle: 'HILUM',
})

/** All Part 10 files, and the bare data sets with meta information put before them. */
function collect(work: string): Sample[] {
  const samples: Sample[] = []
  for (const folder of folders as string[])
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      const name = path.relative(path.dirname(folder), file)
      const bytes = readFileSync(file)
      if (bytes.toString('latin1', 128, 132) === 'DICM') samples.push(sampleOf(name, file, bytes))
      const bare = bareDataSets[name]
      if (bare === undefined) continue
      const wrapped = path.join(work, `bare-${samples.length}`)
      writeFileSync(wrapped, Buffer.concat([encodeFileMeta(bare), bytes]))
      samples.push(sampleOf(name, wrapped, readFileSync(wrapped)))
    }
  return samples
}

function sampleOf(name: string, file: string, bytes: Buffer): Sample {
  try {
    const { transferSyntaxUID, mediaStorageSOPInstanceUID, dataSetOffset } = parseFileMeta(bytes)
    const dataSet = bytes.subarray(dataSetOffset)
    const named = textOf(readHead(dataSet, { transferSyntaxUID }).elements, 'SOPInstanceUID')
    return {
      name,
      file,
      transferSyntaxUID,
      sopInstanceUID: named ?? mediaStorageSOPInstanceUID,
      digest: sha256(dataSet),
    }
  } catch {
    return { name, file, transferSyntaxUID: 'none', sopInstanceUID: '', digest: '' }
  }
}

/** Groups in which no two files are the same instance: storescp would write one over the other. */
function rounds(samples: readonly Sample[]): Sample[][] {
  const groups: Sample[][] = []
  for (const sample of samples) {
    const isNew = (group: Sample[]) => group.every((other) => other.sopInstanceUID !== sample.sopInstanceUID)
    const group = groups.find(isNew)
    if (group) group.push(sample)
    else groups.push([sample])
  }
  return groups
}

/** storescu proposes each SOP class with one syntax, and goes on after what it cannot read or send. */
function storescu(samples: readonly Sample[], option: string, port: number): void {
  const files = samples.map((sample) => sample.file)
  const to = ['-aec', 'HILUM', '127.0.0.1', String(port)]
  runProgram('storescu', ['-nh', '-R', option, ...to, ...files], { env: { TCP_NODELAY: '1' } })
}

/** What storescp wrote since the last time, by SOP Instance UID. */
function takeWitnesses(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(path.join(folder, name))
    rmSync(path.join(folder, name))
    const { mediaStorageSOPInstanceUID, dataSetOffset } = parseFileMeta(bytes)
    found.set(mediaStorageSOPInstanceUID, sha256(bytes.subarray(dataSetOffset)))
  }
  return found
}

/** The data sets of all objects that the node keeps, once everything is indexed: a restart makes files of what lies in journals. */
async function keptDigests(node: NodeProcess): Promise<Set<string>> {
  await node.stop()
  await node.start()
  while (filesIn(path.join(node.dataDir, 'incoming')).length > 0) await sleep(100)
  const digests = filesIn(path.join(node.dataDir, 'objects')).map((file) => {
    const bytes = readFileSync(file)
    return sha256(bytes.subarray(parseFileMeta(bytes).dataSetOffset))
  })
  return new Set(digests)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Syntaxes with their outcomes counted, then every file that was not simply stored. */
function tableOf(outcomes: readonly { sample: Sample; outcome: string }[], sender: string): string {
  const counts = new Map<string, number>()
  for (const { sample, outcome } of outcomes) {
    const key = `${transferSyntax(sample.transferSyntaxUID).name} | ${outcome.split(':')[0]}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const odd = outcomes.filter(({ outcome }) => !outcome.startsWith('stored'))
  return [
    `${outcomes.length} files by ${sender}:`,
    ...[...counts]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([key, count]) => `  ${String(count).padStart(4)} ${key}`),
    ...odd.map(({ sample, outcome }) => `  ${sample.name} | ${sample.transferSyntaxUID} | ${outcome}`),
  ].join('\n')
}
