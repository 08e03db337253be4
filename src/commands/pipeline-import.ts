import path from 'node:path'
import { ImportError } from '../infer/import/error.ts'
import { checkFolder, planImport, sourceOf, suggestedName } from '../infer/import/import-model.ts'
import type { Plan } from '../infer/import/plan.ts'
import { planSkeleton } from '../infer/import/skeleton.ts'
import { writePipelineFolder } from '../infer/import/write-pipeline.ts'
import { name as nameSchema } from '../infer/manifest/vocabulary.ts'
import { print } from './arguments.ts'
import { GivenAnswers } from './pipeline-answers.ts'

/**
 * `hilum pipeline import`: makes a pipeline's folder of an ONNX file, a MONAI bundle, or a model of nnU-Net.
 * @returns exit code: 0 the pipeline passes the check; 1 something is left to do, which is said
 * @throws {ImportError}
 */
export async function importModel(
  source: string,
  options: {
    name?: string | undefined
    kind?: string | undefined
    answers?: string | undefined
    out?: string | undefined
    folderOf(): string
  },
): Promise<number> {
  const answers = await GivenAnswers.read(options.answers)
  const found = await sourceOf(source)
  const name = checkedName(options.name ?? suggestedName(found))
  const planned = await planImport(found, { name, answers, kind: options.kind }).finally(() => answers.close())
  answers.expectAllAsked()
  const plan = { ...planned, notes: [...assumptions(answers), ...planned.notes] }
  const out = options.out ?? path.join(options.folderOf(), name)
  await writePipelineFolder(plan, out)
  for (const [id, answer] of answers.taken) print(`${id}: ${answer}`)
  return await report(plan, out)
}

/**
 * `hilum pipeline new`: a folder to begin with.
 * @throws {ImportError}
 */
export async function newPipeline(
  name: string,
  { folder, kind = 'threshold' }: { folder: string; kind?: string | undefined },
): Promise<number> {
  const plan = planSkeleton(checkedName(name), kind)
  const out = path.join(folder, name)
  await writePipelineFolder(plan, out)
  print(`${out}: pipeline.yaml and README.md are written`)
  for (const sentence of plan.todo) print(`to do: ${sentence}`)
  return 0
}

/** What nobody answered, for the README: without it a guess would look like knowledge. */
function assumptions({ assumed, taken }: GivenAnswers): string[] {
  const guessed = assumed.filter((id) => id !== 'title' && !id.startsWith('code-'))
  if (guessed.length === 0) return []
  const list = guessed.map((id) => `${id} (${taken.get(id)})`).join(', ')
  return [`Nobody answered these, so that what is most usual was taken. Check each against the training: ${list}.`]
}

function checkedName(name: string): string {
  const parsed = nameSchema.safeParse(name)
  if (!parsed.success)
    throw new ImportError('bad-answer', `${name}: the name of a pipeline has lower-case letters, digits and hyphens`)
  return name
}

async function report(plan: Plan, out: string): Promise<number> {
  for (const note of plan.notes) print(`note: ${note}`)
  for (const sentence of plan.todo) print(`to do: ${sentence}`)
  const { problems } = await checkFolder(out)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  const passes = problems.length === 0
  print(
    passes
      ? `${out}: written, no problem`
      : `${out}: written; it does not pass the check yet: see above, and the file itself`,
  )
  return passes ? 0 : 1
}
