import { itemsOf, numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { CanonicalGrid } from '../dicom/geometry.ts'
import { sopClassName } from '../dicom/sop-class.ts'
import { refusal } from './error.ts'
import type { PipelineInput } from './manifest.ts'
import type { Slice } from './slices.ts'

type Range = PipelineInput['slices']

/**
 * Holds an instance's header against what the pipeline declares.
 * @throws {InferError} `refused` with the value and the limit
 */
export function checkHeader(elements: DicomJson, limits: PipelineInput): void {
  const modality = textOf(elements, 'Modality') ?? 'absent'
  if (modality !== limits.modality) throw refusal(`Modality is ${modality}, ${limits.modality} is expected`)
  const sopClass = textOf(elements, 'SOPClassUID') ?? 'absent'
  if (!limits.sopClasses.includes(sopClass))
    throw refusal(
      `SOP Class is ${sopClassName(sopClass) ?? sopClass}, ${limits.sopClasses.map((uid) => sopClassName(uid) ?? uid).join(' or ')} is expected`,
    )
  const samples = numberOf(elements, 'SamplesPerPixel') ?? 1
  if (samples !== 1) throw refusal(`Samples per Pixel is ${samples}, 1 is expected`)
  if (limits.contrast === 'forbidden') checkContrast(elements)
}

/** What scanners write for "no contrast agent". */
const none = new Set(['', 'NONE', 'NO', 'N', 'NO CONTRAST', 'NON CONTRAST', 'WITHOUT', 'W/O', '0'])

function checkContrast(elements: DicomJson): void {
  const agent = (textOf(elements, 'ContrastBolusAgent') ?? '').trim()
  const items = itemsOf(elements, 'ContrastBolusAgentSequence').length
  // Free text: only what looks like the name of an agent is repeated.
  const shown = /^[\w ./+-]{1,32}$/.test(agent) ? agent : 'given'
  if (!none.has(agent.toUpperCase()))
    throw refusal(`Contrast/Bolus Agent is ${shown}, a scan without contrast agent is expected`)
  if (items > 0)
    throw refusal(`Contrast/Bolus Agent Sequence has ${items} items, a scan without contrast agent is expected`)
}

/**
 * Holds the slices' own attributes against what the pipeline declares, before any pixel is read.
 * @throws {InferError} `refused` with the value and the limit
 */
export function checkSlices(slices: readonly Slice[], limits: PipelineInput): void {
  for (const { sliceThickness, pixelSpacing } of slices) {
    if (sliceThickness !== null)
      within('Slice Thickness', sliceThickness, { range: limits.sliceThickness, unit: ' mm' })
    for (const spacing of pixelSpacing) within('Pixel Spacing', spacing, { range: limits.pixelSpacing, unit: ' mm' })
  }
  within('the number of slices', slices.length, { range: limits.slices, unit: '' })
}

/**
 * Holds the volume's geometry against what the pipeline declares.
 * @throws {InferError} `refused` with the value and the limit
 */
export function checkGrid(grid: CanonicalGrid, sliceSpacing: number, limits: PipelineInput): void {
  within('the distance between slices', sliceSpacing, { range: limits.sliceSpacing, unit: ' mm' })
  within("the angle between the slices and the patient's axes", grid.obliquity, { range: limits.obliquity, unit: '°' })
}

function within(subject: string, value: number, limit: { range: Range; unit: string }): void {
  const { range, unit } = limit
  const shown = `${subject} is ${Number(value.toFixed(3))}${unit}`
  if (range.maximum !== undefined && value > range.maximum)
    throw refusal(`${shown}, at most ${range.maximum}${unit} is accepted`, { value, maximum: range.maximum })
  if (range.minimum !== undefined && value < range.minimum)
    throw refusal(`${shown}, at least ${range.minimum}${unit} is expected`, { value, minimum: range.minimum })
}
