import { numberOf, textOf } from '../../dicom/dataset.ts'
import type { InstanceFile } from '../../dicom/instance-file.ts'
import { transferSyntax } from '../../dicom/transfer-syntax.ts'
import type { PipelineInput } from '../manifest/input.ts'
import type { TaskInput } from '../task.ts'
import { checkKind } from './acceptance.ts'
import { readHeader } from './frame.ts'

/** Headers that are read at a time. */
const atOnce = 8

/**
 * Reads the headers of all instances of an input, in a series or several, and holds each against the kind of object that the pipeline
 * declares.
 * @throws {InferError} `refused` with the value and what is expected; `unreadable-input`
 */
export async function readHeaders(given: TaskInput, input: PipelineInput): Promise<InstanceFile[]> {
  const paths = [given, ...(given.further ?? [])].flatMap((series) => series.files)
  const files: InstanceFile[] = Array.from({ length: paths.length })
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < paths.length; index = next++) {
      const file = await readHeader(paths[index] as string)
      checkKind(file.elements, input)
      files[index] = file
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, paths.length) }, work))
  return files
}

/** Instances in the order that their numbers give them, so that the result does not depend on the order of the files. */
export function inInstanceOrder(files: readonly InstanceFile[]): InstanceFile[] {
  const keys = files.map(({ elements }) => [
    numberOf(elements, 'AcquisitionNumber') ?? 0,
    numberOf(elements, 'InstanceNumber') ?? Number.MAX_SAFE_INTEGER,
  ])
  const uid = (index: number): string => textOf(files[index]?.elements ?? {}, 'SOPInstanceUID') ?? ''
  return files
    .map((_, index) => index)
    .sort((a, b) => {
      for (const level of [1, 0]) {
        const difference = (keys[a]?.[level] ?? 0) - (keys[b]?.[level] ?? 0)
        if (difference !== 0) return difference
      }
      return uid(a) < uid(b) ? -1 : 1
    })
    .map((index) => files[index] as InstanceFile)
}

/** Sentences on the encoding of a series, for the log. */
export function describeEncoding(files: readonly InstanceFile[], log: string[]): void {
  const syntaxes = new Set(files.map((file) => transferSyntax(file.transferSyntaxUID).name))
  log.push(`transfer syntax ${[...syntaxes].join(', ')}`)
  if (files.some(({ elements }) => textOf(elements, 'LossyImageCompression') === '01'))
    log.push('the images were compressed with loss: values are approximate')
}
