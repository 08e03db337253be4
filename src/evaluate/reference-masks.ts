import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Code } from '../dicom/codes.ts'
import { type Grid, type LabelMap, voxelsOf } from '../infer/image.ts'
import type { InferredSegment } from '../infer/inference.ts'
import { labelsOnto } from '../infer/prepare/labels-onto.ts'
import type { OpenedInput } from '../infer/read/opened-input.ts'
import { readSegmentation } from '../infer/read/segmentation.ts'
import type { ArrivedSegment } from '../infer/read/segmentation-definitions.ts'
import { decodeNifti } from '../infer/runtime/nifti-file.ts'
import { EvaluateError } from './error.ts'
import type { MaskReference } from './references.ts'

/** Values of a label map that stand for a segment, by its id; left out: its number. */
export type LabelsOfSegments = Readonly<Record<string, readonly number[]>>

/** The mask of a segment on the grid of the images; null where the reference says nothing of it. */
export type ReferenceMasks = (segment: InferredSegment) => Promise<Uint8Array | null>

type Segment = Pick<InferredSegment, 'id' | 'number' | 'definition'>

/** Bytes that a NIfTI file may inflate to. */
const largestNifti = 4 * 1024 ** 3

/**
 * Reads the masks of a case.
 * @param opened the images that the results speak of
 * @throws EvaluateError `bad-reference`; InferError for objects that cannot be read
 */
export async function referenceMasks(
  reference: MaskReference,
  { segments, opened, labels }: { segments: readonly Segment[]; opened: OpenedInput; labels: LabelsOfSegments },
): Promise<ReferenceMasks> {
  switch (reference.kind) {
    case 'dicom':
      return await fromSegmentation(reference.file, segments, opened)
    case 'nifti':
      return await fromLabelMap(reference.file, { segments, opened, labels })
    case 'nifti-by-segment': {
      const { files } = reference
      const [[name, file] = ['', ''], ...others] = files
      if (others.length === 0 && !segments.some(({ id }) => id === name))
        return await fromLabelMap(file, { segments, opened, labels })
      return async ({ id }) => {
        const own = files.get(id)
        return own === undefined
          ? null
          : maskOf((await labelMap(own, opened, (value) => (value === 0 ? 0 : 1))).labels, [1])
      }
    }
  }
}

async function fromLabelMap(
  file: string,
  { segments, opened, labels }: { segments: readonly Segment[]; opened: OpenedInput; labels: LabelsOfSegments },
): Promise<ReferenceMasks> {
  const numbers = new Map<number, number>()
  for (const { id, number } of segments) for (const value of labels[id] ?? [number]) numbers.set(value, number)
  const map = await labelMap(file, opened, (value) => numbers.get(value) ?? 0)
  return async ({ number }) => maskOf(map.labels, [number])
}

/** A NIfTI file's labels, translated, on the grid of the images. */
async function labelMap(file: string, opened: OpenedInput, labelOf: (value: number) => number): Promise<LabelMap> {
  const name = path.basename(file)
  const { data, dims, place } = decodeNifti(name, await readFile(file), largestNifti)
  if (!place || dims.length !== 3)
    throw new EvaluateError('bad-reference', `${name}: a NIfTI file with one label a voxel is expected`)
  const labels = new Uint8Array(data.length)
  let last = { value: Number.NaN, label: 0 }
  for (let i = 0; i < labels.length; i++) {
    const value = Number(data[i])
    if (value !== last.value) last = { value, label: labelOf(value) }
    labels[i] = last.label
  }
  return labelsOnto({ grid: onImages(place.grid, opened, name), labels }, opened.grid)
}

/** Images without a place in the patient are compared pixel by pixel. */
function onImages(grid: Grid, { grid: images, source }: OpenedInput, name: string): Grid {
  if (source.imageOrientationPatient !== null) return grid
  if (voxelsOf(grid) !== voxelsOf(images) || grid.size[0] !== images.size[0])
    throw new EvaluateError(
      'bad-reference',
      `${name}: ${grid.size.join('x')} voxels, the images, which have no place in space, have ${images.size.join('x')}`,
    )
  return images
}

async function fromSegmentation(
  file: string,
  segments: readonly Segment[],
  opened: OpenedInput,
): Promise<ReferenceMasks> {
  const { labels, segments: drawn } = await readSegmentation(
    { seriesInstanceUID: '', files: [file] },
    {
      kind: 'segmentation',
      name: 'reference',
      from: 'study',
      required: true,
      modality: ['SEG'],
      contrast: 'allowed',
      of: 'images',
      overlap: 'refuse',
      threshold: 0.5,
    },
    { of: opened, log: [] },
  )
  return async (segment) => {
    const own = matching(segment, drawn, segments.length)
    return own.length === 0
      ? null
      : maskOf(
          labels.labels,
          own.map(({ number }) => number),
        )
  }
}

/** By label (that of the segment, or its id), then by the code of what it shows; a single segment is the other single one. */
export function matching(segment: Segment, drawn: readonly ArrivedSegment[], count: number): readonly ArrivedSegment[] {
  const names = [segment.id, segment.definition.label].map((text) => text.trim().toLowerCase())
  const named = drawn.filter(({ definition }) => names.includes(definition.label.trim().toLowerCase()))
  if (named.length > 0) return named
  const coded = drawn.filter(({ definition }) => codeKey(definition) === codeKey(segment.definition))
  if (coded.length > 0) return coded
  return count === 1 && drawn.length === 1 ? drawn : []
}

function codeKey({ type, modifiers }: { type: Code; modifiers: readonly Code[] }): string {
  return [type, ...[...modifiers].sort((a, b) => (a.value < b.value ? -1 : 1))]
    .map(({ scheme, value }) => `${scheme}:${value}`)
    .join('|')
}

function maskOf(labels: Uint8Array, of: readonly number[]): Uint8Array {
  const inside = new Uint8Array(256)
  for (const label of of) inside[label] = 1
  const mask = new Uint8Array(labels.length)
  for (let i = 0; i < mask.length; i++) mask[i] = inside[labels[i] as number] as number
  return mask
}
