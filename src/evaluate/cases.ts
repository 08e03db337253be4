import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { textOf } from '../dicom/dataset.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { messageOf } from '../errors.ts'
import type { PipelineInput } from '../infer/manifest/input.ts'
import type { InferTask, TaskSeries } from '../infer/task.ts'
import { EvaluateError } from './error.ts'

/** What a pipeline is run on once. */
export interface Case {
  /** The folder's name, or the Series Instance UID. */
  name: string
  inputs: InferTask['inputs']
  /** Of the first input that the pipeline declares and the case has. */
  seriesInstanceUID: string
  studyInstanceUID: string
  /** Why it cannot be run. */
  problem: string | null
}

/** The Part 10 files under a folder, in order. */
export type FilesUnder = (folder: string) => Promise<string[]>

interface FoundSeries extends TaskSeries {
  studyInstanceUID: string
  modality: string
}

/**
 * The cases of a folder: each of its folders is one, or, where it has none, each series of its files. In a case's folder, folders with the
 * name of an input hold that input's series; without them everything of the modality that the only input takes is its series.
 * @throws EvaluateError `no-cases`
 */
export async function findCases(
  data: string,
  inputs: readonly PipelineInput[],
  filesUnder: FilesUnder,
): Promise<{ cases: Case[]; notes: string[] }> {
  const notes: string[] = []
  const cases: Case[] = []
  const folders = await foldersIn(data)
  for (const folder of folders) {
    const found = await caseOf(path.join(data, folder), folder, { inputs, filesUnder, notes })
    if (found) cases.push(found)
    else notes.push(`${folder}: no DICOM file there`)
  }
  if (folders.length === 0)
    for (const series of await seriesIn(data, filesUnder, notes))
      cases.push(caseWith(series.seriesInstanceUID, inputs, [series]))
  if (cases.length === 0) throw new EvaluateError('no-cases', `${data}: no folder with DICOM files there`)
  return { cases, notes }
}

async function foldersIn(folder: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof entriesOf>>
  try {
    entries = await entriesOf(folder)
  } catch (error) {
    throw new EvaluateError('no-cases', `${folder}: cannot be read: ${messageOf(error)}`)
  }
  const folders: string[] = []
  for (const entry of entries)
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(path.join(folder, entry.name)))))
      folders.push(entry.name)
  return folders.sort()
}

async function isFolder(place: string): Promise<boolean> {
  return (await stat(place).catch(() => null))?.isDirectory() ?? false
}

const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true })

interface Finding {
  inputs: readonly PipelineInput[]
  filesUnder: FilesUnder
  notes: string[]
}

async function caseOf(folder: string, name: string, { inputs, filesUnder, notes }: Finding): Promise<Case | null> {
  const within = await foldersIn(folder)
  const named = inputs.filter((input) => within.includes(input.name))
  if (named.length === 0) {
    const series = await seriesIn(folder, filesUnder, notes)
    return series.length === 0 ? null : caseWith(name, inputs, series)
  }
  const found: Case = { name, inputs: {}, seriesInstanceUID: '', studyInstanceUID: '', problem: null }
  for (const input of named) put(found, input, await seriesIn(path.join(folder, input.name), filesUnder, notes))
  const missing = inputs.find((input) => input.required && !found.inputs[input.name])
  if (missing) found.problem ??= `there is no folder ${missing.name} with a series of that input`
  return found
}

function caseWith(name: string, inputs: readonly PipelineInput[], series: readonly FoundSeries[]): Case {
  const found: Case = { name, inputs: {}, seriesInstanceUID: '', studyInstanceUID: '', problem: null }
  const required = inputs.filter((input) => input.required)
  const [only] = required.length > 0 ? required : inputs
  if (!only || required.length > 1)
    found.problem = `the pipeline has several inputs: a folder for each is expected, ${required.map((i) => i.name).join(', ')}`
  else {
    const accepted = series.filter(({ modality }) => only.modality.includes(modality))
    put(found, only, accepted.length > 0 ? accepted : series)
  }
  // A case that cannot be run is still found by its series.
  found.seriesInstanceUID ||= series[0]?.seriesInstanceUID ?? ''
  return found
}

function put(found: Case, input: PipelineInput, series: readonly FoundSeries[]): void {
  const [first, ...further] = series
  if (!first) return
  if (further.length > 0 && input.kind !== 'sequence')
    found.problem = `${series.length} series, one is expected of the input ${input.name}`
  const of = ({ seriesInstanceUID, files }: FoundSeries): TaskSeries => ({ seriesInstanceUID, files })
  found.inputs[input.name] = { ...of(first), ...(further.length > 0 ? { further: further.map(of) } : {}) }
  found.seriesInstanceUID ||= first.seriesInstanceUID
  found.studyInstanceUID ||= first.studyInstanceUID
}

async function seriesIn(folder: string, filesUnder: FilesUnder, notes: string[]): Promise<FoundSeries[]> {
  const series = new Map<string, FoundSeries>()
  for (const file of await filesUnder(folder)) {
    try {
      const { elements } = await readInstanceFile(file)
      const uid = textOf(elements, 'SeriesInstanceUID') ?? ''
      const found = series.get(uid) ?? {
        seriesInstanceUID: uid,
        studyInstanceUID: textOf(elements, 'StudyInstanceUID') ?? '',
        modality: textOf(elements, 'Modality') ?? '',
        files: [],
      }
      found.files.push(file)
      series.set(uid, found)
    } catch (error) {
      notes.push(`${path.basename(folder)}: a file was left out: ${messageOf(error)}`)
    }
  }
  return [...series.values()].sort((a, b) => (a.seriesInstanceUID < b.seriesInstanceUID ? -1 : 1))
}
