import { itemsOf, numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { CanonicalGrid } from '../dicom/geometry.ts'
import { sopClassName } from '../dicom/sop-class.ts'
import { refusal } from './error.ts'
import type { PipelineInput } from './manifest.ts'
import type { Slice } from './slices.ts'

type Range = PipelineInput['slices']

/**
 * Holds the header of an instance against the kind of object that the pipeline declares.
 * @throws {InferError} `refused` with the value and what is expected
 */
export function checkKind(elements: DicomJson, limits: PipelineInput): void {
  const modality = textOf(elements, 'Modality') ?? 'absent'
  if (modality !== limits.modality) throw refusal(`Modality is ${modality}, ${limits.modality} is expected`)
  const sopClass = textOf(elements, 'SOPClassUID') ?? 'absent'
  if (!limits.sopClasses.includes(sopClass))
    throw refusal(
      `SOP Class is ${sopClassName(sopClass) ?? sopClass}, ${limits.sopClasses.map((uid) => sopClassName(uid) ?? uid).join(' or ')} is expected`,
    )
  const samples = numberOf(elements, 'SamplesPerPixel') ?? 1
  if (samples !== 1) throw refusal(`Samples per Pixel is ${samples}, 1 is expected`)
}

/**
 * Holds everything that the headers say against the pipeline's limits, before any pixel is read.
 * @throws {InferError} `refused` with every limit that is broken and the value that breaks it, each once
 */
export function checkSlices(slices: readonly Slice[], limits: PipelineInput): void {
  const broken = new Set<string>()
  const add = (sentence: string | null): void => {
    if (sentence !== null) broken.add(sentence)
  }
  for (const { sliceThickness, pixelSpacing, file } of slices) {
    if (sliceThickness !== null)
      add(beyond('Slice Thickness', sliceThickness, { range: limits.sliceThickness, unit: ' mm' }))
    for (const spacing of pixelSpacing)
      add(beyond('Pixel Spacing', spacing, { range: limits.pixelSpacing, unit: ' mm' }))
    if (limits.contrast === 'forbidden') add(contrastOf(file.elements))
    // A series that breaks many limits breaks them in many slices: a few sentences say enough.
    if (broken.size > 4) break
  }
  add(beyond('the number of slices', slices.length, { range: limits.slices, unit: '' }))
  if (broken.size > 0) throw refusal([...broken].join('; '))
}

/**
 * Holds the volume's geometry against what the pipeline declares.
 * @throws {InferError} `refused` with the value and the limit
 */
export function checkGrid(grid: CanonicalGrid, sliceSpacing: number, limits: PipelineInput): void {
  const broken = [
    beyond('the distance between slices', sliceSpacing, { range: limits.sliceSpacing, unit: ' mm' }),
    beyond("the angle between the slices and the patient's axes", grid.obliquity, {
      range: limits.obliquity,
      unit: '°',
    }),
  ].filter((sentence) => sentence !== null)
  if (broken.length > 0) throw refusal(broken.join('; '))
}

/** What scanners write for "no contrast agent". */
const none = new Set(['', 'NONE', 'NO', 'N', 'NO CONTRAST', 'NON CONTRAST', 'WITHOUT', 'W/O', '0'])

function contrastOf(elements: DicomJson): string | null {
  const agent = (textOf(elements, 'ContrastBolusAgent') ?? '').trim()
  const items = itemsOf(elements, 'ContrastBolusAgentSequence').length
  // Free text: only what looks like the name of an agent is repeated.
  const shown = /^[\w ./&+-]{1,32}$/.test(agent) ? agent : 'given'
  if (!none.has(agent.toUpperCase()))
    return `Contrast/Bolus Agent is ${shown}, a scan without contrast agent is expected`
  if (items === 0) return null
  return `Contrast/Bolus Agent Sequence has ${items} items, a scan without contrast agent is expected`
}

/** A sentence with the value and the limit that it breaks, or null. */
function beyond(subject: string, value: number, limit: { range: Range; unit: string }): string | null {
  const { range, unit } = limit
  const shown = `${subject} is ${Number(value.toFixed(3))}${unit}`
  if (range.maximum !== undefined && value > range.maximum)
    return `${shown}, at most ${range.maximum}${unit} is accepted`
  if (range.minimum !== undefined && value < range.minimum)
    return `${shown}, at least ${range.minimum}${unit} is expected`
  return null
}
