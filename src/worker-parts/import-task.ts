import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../errors.ts'
import { ImportError } from '../infer/import/error.ts'
import { checkFolder, planImport, suggestedName } from '../infer/import/import-model.ts'
import { AnswerNeeded, type AskedQuestion, ListedAnswers } from '../infer/import/listed-answers.ts'
import { writePipelineFolder } from '../infer/import/write-pipeline.ts'
import { manifestFile, parseManifest } from '../infer/load-pipelines.ts'

/** An uploaded model or pipeline that is to be looked at. */
export interface ImportTask {
  /** Where it lies. */
  folder: string
  /** Of the model, where it is an ONNX file alone. */
  file: string | null
  /** True: the folder is a pipeline already. */
  whole: boolean
  name: string | null
  kind: string | null
  answers: Record<string, string>
  /** Where the pipeline is written; emptied before. */
  out: string
}

/** What came of it. */
export interface ImportOutcome {
  questions: AskedQuestion[]
  /** False: a question has to be answered before more can be said. */
  answered: boolean
  problems: string[]
  notes: string[]
  todo: string[]
  name: string | null
  version: string | null
  /** pipeline.yaml; null where it could not be written. */
  manifest: string | null
  /** The pipeline's folder; null where there is none. */
  folder: string | null
}

const nothing = { notes: [], todo: [], name: null, version: null, manifest: null, folder: null }

/** Imports a model with the answers that there are, or looks at a whole pipeline. Opens models: to be run in a process of its own. */
export async function runImport(task: ImportTask): Promise<ImportOutcome> {
  if (task.whole) return { ...nothing, questions: [], answered: true, ...(await lookAt(task.folder)) }
  const answers = new ListedAnswers(task.answers)
  try {
    await rm(task.out, { recursive: true, force: true })
    const name = task.name ?? suggestedName(task)
    const plan = await planImport(task, { name, answers, kind: task.kind ?? undefined })
    await writePipelineFolder(plan, task.out)
    const looked = await lookAt(task.out)
    return { questions: answers.asked, answered: true, notes: [...plan.notes], todo: [...plan.todo], ...looked }
  } catch (error) {
    if (error instanceof AnswerNeeded) return { ...nothing, questions: answers.asked, answered: false, problems: [] }
    if (error instanceof ImportError)
      return { ...nothing, questions: answers.asked, answered: true, problems: [withoutPaths(error.message, task)] }
    throw error
  }
}

async function lookAt(folder: string): Promise<Omit<ImportOutcome, 'questions' | 'answered' | 'notes' | 'todo'>> {
  const { pipeline, problems } = await checkFolder(folder)
  let manifest: string | null = null
  try {
    manifest = await readFile(path.join(folder, manifestFile), 'utf8')
  } catch (error) {
    problems.push(messageOf(error))
  }
  const written = manifest === null ? null : parseManifest(manifest).manifest
  for (const { model } of written?.infer ?? [])
    for (const one of model)
      if (one.runtime === 'command')
        problems.push(
          `it runs a program of this machine (${String(one.command[0])}): such a pipeline is put into the folder of the pipelines by hand`,
        )
  if ((await readdir(folder)).length === 0) problems.push('the folder is empty')
  return {
    problems: problems.map((problem) => problem.replaceAll(`${folder}${path.sep}`, '')),
    name: pipeline?.name ?? written?.name ?? null,
    version: pipeline?.version ?? written?.version ?? null,
    manifest,
    folder,
  }
}

/** Where uploads lie is the node's own matter. */
function withoutPaths(text: string, { folder, out }: ImportTask): string {
  return [folder, out].reduce(
    (plain, place) => plain.replaceAll(`${place}${path.sep}`, '').replaceAll(place, 'the upload'),
    text,
  )
}
