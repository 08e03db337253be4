import { lstat, open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { InferError } from '../error.ts'
import { decodeNifti, encodeNifti } from './nifti-file.ts'
import { decodeNpy, encodeNpy } from './npy.ts'
import type { CommandOptions } from './options.ts'
import { elementsOf, type Tensor } from './tensor.ts'

/** Names of tensors are names of files here. */
const fileName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/

/**
 * Writes what a program is given: `NAME.nii` or `NAME.npy`, and `NAME.json` with type, dimensions, layout and grid (mm, DICOM's patient axes).
 * Tensors without a place are written as .npy whatever the format. Nothing else of the study is in these files.
 * @throws {InferError} `wrong-shape` when a tensor's name is no file name, or the format does not know its type or layout
 */
export async function writeInput(
  folder: string,
  { name, tensor, format }: { name: string; tensor: Tensor; format: CommandOptions['format'] },
): Promise<void> {
  const { type, dims, place } = tensor
  checkName(`input ${name}`, name)
  const asNifti = format === 'nifti' && place !== undefined
  const file = `${name}.${asNifti ? 'nii' : 'npy'}`
  const parts = asNifti ? encodeNifti(tensor, place) : encodeNpy(tensor)
  const description = { name, file, type, dims, layout: place?.layout ?? null, grid: place?.grid ?? null }
  await writeParts(path.join(folder, file), parts)
  await writeParts(path.join(folder, `${name}.json`), [Buffer.from(`${JSON.stringify(description, null, 2)}\n`)])
}

async function writeParts(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    for (const part of parts) await handle.appendFile(part)
  } finally {
    await handle.close()
  }
}

/** Files that an output may be found in, in this order. */
const endings = ['nii.gz', 'nii', 'npy', 'json'] as const

/**
 * Reads what a program left for an output: `NAME.nii.gz`, `NAME.nii`, `NAME.npy`, or `NAME.json` with a list of numbers.
 * @throws {InferError} `model-failed` when there is none, or it cannot be read; links are not followed
 */
export async function readOutput(folder: string, name: string, maximum: number): Promise<Tensor> {
  checkName(`output ${name}`, name)
  for (const ending of endings) {
    const file = path.join(folder, `${name}.${ending}`)
    const stat = await lstat(file).catch(() => null)
    if (!stat) continue
    const what = `output ${name}`
    if (!stat.isFile()) throw new InferError('model-failed', `${what}: ${name}.${ending} is no plain file`)
    if (stat.size > maximum)
      throw new InferError(
        'model-failed',
        `${what}: ${name}.${ending} has ${stat.size} bytes, at most ${maximum} are read`,
      )
    const bytes = await readFile(file)
    if (ending === 'npy') return decodeNpy(what, bytes)
    return ending === 'json' ? decodeNumbers(what, bytes) : decodeNifti(what, bytes, maximum)
  }
  const expected = endings.map((ending) => `${name}.${ending}`).join(', ')
  throw new InferError('model-failed', `output ${name}: the program left none of ${expected}`)
}

/** A list of numbers, or lists of lists. */
function decodeNumbers(what: string, bytes: Buffer): Tensor {
  const wrong = new InferError('model-failed', `${what}: a JSON list of numbers is expected`)
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw wrong
  }
  const dims: number[] = []
  for (let level = json; Array.isArray(level); level = level[0]) dims.push(level.length)
  const values = Array.isArray(json) ? (json.flat(Number.POSITIVE_INFINITY) as unknown[]) : []
  // NaN has no writing in JSON; null is what some writers make of it.
  if (dims.length === 0 || !values.every((v) => typeof v === 'number' || v === null)) throw wrong
  if (values.length !== elementsOf(dims)) throw wrong
  return { type: 'float64', dims, data: Float64Array.from(values, (v) => (v === null ? Number.NaN : v)) }
}

function checkName(what: string, name: string): void {
  if (!fileName.test(name))
    throw new InferError('wrong-shape', `${what}: a name of letters, digits, dots, hyphens and underscores is expected`)
}
