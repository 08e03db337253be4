import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { pixelRisk } from '../../dicom/deidentify/clean-text.ts'
import { Deidentification } from '../../dicom/deidentify/deidentification.ts'
import { rewriteFile } from '../../dicom/deidentify/rewrite-file.ts'
import { DicomError } from '../../dicom/error.ts'
import { InferError } from '../error.ts'
import { canLimitMemory, isolation } from './isolation.ts'
import type { Model, ModelContext } from './model.ts'
import type { CommandOptions } from './options.ts'
import { folderBytes, runProgram } from './program.ts'
import { readOutput, writeInput } from './program-files.ts'
import type { Tensor } from './tensor.ts'

/**
 * A model that is a program: it finds its inputs in one folder and leaves its outputs in another. The folders hold arrays, where they lie in
 * space, and (where the pipeline says so) de-identified instances; they are removed after the run.
 * @throws {InferError} `model-failed` where the machine cannot keep the program from the network, and the pipeline wants no other
 */
export async function openCommand(options: CommandOptions, context: ModelContext): Promise<Model> {
  const notes = await lacking(options)
  return {
    provider: 'command',
    notes,
    inputs: null,
    outputs: null,
    run: async (feeds, wanted) => {
      const folder = await mkdtemp(path.join(context.temporaryFolder, 'command-'))
      try {
        return await run(options, context, { folder, feeds, wanted })
      } finally {
        // What was just killed may have written a moment ago.
        await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
      }
    },
    close: async () => {},
  }
}

/**
 * What this machine cannot secure, sentences for the record.
 * @throws {InferError} `model-failed` when the pipeline wants no program to run without
 */
async function lacking({ onMissingIsolation }: CommandOptions): Promise<string[]> {
  const notes: string[] = []
  const { missing } = await isolation()
  if (missing && onMissingIsolation === 'refuse') throw new InferError('model-failed', `${missing}; it is refused`)
  if (missing) notes.push(`${missing}; the program runs with it`)
  if (!(await canLimitMemory()))
    notes.push('the kernel is not told the memory limit (no prlimit): memory is only watched')
  return notes
}

interface Call {
  folder: string
  feeds: Readonly<Record<string, Tensor>>
  wanted: readonly string[]
}

async function run(
  options: CommandOptions,
  context: ModelContext,
  { folder, feeds, wanted }: Call,
): Promise<Record<string, Tensor>> {
  const [inside, outside, home] = ['in', 'out', 'tmp'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const made of [inside, outside, home]) await mkdir(made)
  for (const [name, tensor] of Object.entries(feeds)) await writeInput(inside, { name, tensor, format: options.format })
  const deidentification = new Deidentification({ retain: options.retain })
  for (const input of options.series)
    await writeSeries(path.join(inside, input), input, { deidentification, context, options })
  const places = { '{in}': inside, '{out}': outside, '{pipeline}': context.folder }
  const replaced = (text: string): string =>
    text.replace(/\{(in|out|pipeline)\}/g, (key) => places[key as keyof typeof places])
  const maximum = options.outputMb * 2 ** 20
  await runProgram({
    command: options.command.map(replaced),
    folder,
    environment: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: home,
      TMPDIR: home,
      LANG: 'C.UTF-8',
      ...options.environment,
    },
    deadline: options.deadlineSeconds * 1000,
    memory: options.memoryMb * 2 ** 20,
    output: { folder, bytes: maximum + (await folderBytes(inside, Number.POSITIVE_INFINITY)) },
    onOutput: context.onProgramOutput,
    signal: context.signal,
  })
  const outputs: Record<string, Tensor> = {}
  for (const name of wanted) outputs[name] = await readOutput(outside, name, maximum)
  if (options.series.length > 0) await takeReturned(outside, deidentification, context)
  return outputs
}

/** Instances of an input as `0001.dcm` and so on: names that say nothing. */
async function writeSeries(
  folder: string,
  input: string,
  from: { deidentification: Deidentification; context: ModelContext; options: CommandOptions },
): Promise<void> {
  const { deidentification, context, options } = from
  const files = context.instancesOf?.(input) ?? []
  if (files.length === 0)
    throw new InferError('unreadable-input', `the input ${input} has no instances for the program`)
  await mkdir(folder)
  for (const [index, file] of files.entries()) {
    const target = path.join(folder, `${String(index + 1).padStart(4, '0')}.dcm`)
    await rewriteFile(file, target, (elements) => {
      const risk = options.onIdentifyingPixels === 'refuse' ? pixelRisk(elements) : null
      if (risk) throw new InferError('refused', `an instance of the input ${input} is not handed to a program: ${risk}`)
      return deidentification.deidentify(elements)
    })
  }
}

/** Objects that a program may return at most. */
const mostReturned = 10_000

/** DICOM files that the program left (`{out}/*.dcm`), with the identity of their study restored, go to the folder that the job has for them. */
async function takeReturned(folder: string, deidentification: Deidentification, context: ModelContext): Promise<void> {
  if (context.returnsFolder === undefined) return
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.dcm')).map((entry) => entry.name)
  if (files.length > mostReturned)
    throw new InferError('model-failed', `the program left ${files.length} objects, at most ${mostReturned} are taken`)
  // A program may run several times in a job.
  const before = (await readdir(context.returnsFolder)).length
  for (const [index, file] of files.sort().entries())
    try {
      const target = path.join(context.returnsFolder, `${String(before + index + 1).padStart(4, '0')}.dcm`)
      await rewriteFile(path.join(folder, file), target, (elements) => deidentification.reidentify(elements))
    } catch (error) {
      if (error instanceof DicomError)
        throw new InferError('model-failed', `an object that the program left cannot be taken: ${error.message}`)
      throw error
    }
}
