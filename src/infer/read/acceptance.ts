import { itemsOf, numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { sopClassName } from '../../dicom/sop-class.ts'
import { refusal } from '../error.ts'
import type { Grid } from '../image.ts'
import type { InputOf, PipelineInput } from '../manifest/input.ts'
import type { Range } from '../manifest/vocabulary.ts'
import type { Frame } from './frame.ts'

/**
 * Holds the header of an instance against the kind of object that the pipeline declares.
 * @throws {InferError} `refused` with the value and what is expected
 */
export function checkKind(elements: DicomJson, limits: PipelineInput): void {
  const modality = textOf(elements, 'Modality') ?? 'absent'
  if (!limits.modality.includes(modality))
    throw refusal(`Modality is ${shown(modality)}, ${limits.modality.join(' or ')} is expected`)
  const sopClass = textOf(elements, 'SOPClassUID') ?? 'absent'
  if (limits.sopClasses && !limits.sopClasses.includes(sopClass))
    throw refusal(
      `SOP Class is ${sopClassName(sopClass) ?? sopClass}, ${limits.sopClasses.map((uid) => sopClassName(uid) ?? uid).join(' or ')} is expected`,
    )
  if (limits.kind !== 'volume' && limits.kind !== 'sequence') return
  const samples = numberOf(elements, 'SamplesPerPixel') ?? 1
  if (samples !== 1) throw refusal(`Samples per Pixel is ${samples}, 1 is expected`)
  if (textOf(elements, 'PhotometricInterpretation') === 'PALETTE COLOR')
    throw refusal('Photometric Interpretation is PALETTE COLOR: its values are no intensities')
  // Siemens tiles the slices of a volume into one image: they cannot be told from one picture by geometry.
  if ((elements['00080008']?.Value ?? []).includes('MOSAIC'))
    throw refusal('the series is made of mosaics, in which the slices of a volume are tiles: slices are expected')
}

/** Sentences on limits that are broken, each once. */
class Broken {
  readonly #sentences = new Set<string>()

  add(sentence: string | null): void {
    if (sentence !== null) this.#sentences.add(sentence)
  }

  /** A series that breaks many limits breaks them in many slices: a few sentences say enough. */
  get many(): boolean {
    return this.#sentences.size > 4
  }

  refuse(): void {
    if (this.#sentences.size > 0) throw refusal([...this.#sentences].join('; '))
  }
}

/**
 * Holds everything that the headers say against the pipeline's limits, before any pixel is read.
 * @param count slices of a volume, frames of a sequence of frames
 * @throws {InferError} `refused` with every limit that is broken and the value that breaks it, each once
 */
export function checkFrames(frames: readonly Frame[], limits: Exclude<PipelineInput, InputOf<'segmentation'>>): void {
  const broken = new Broken()
  for (const frame of frames) {
    if ('sliceThickness' in limits && frame.sliceThickness !== null)
      broken.add(beyond('Slice Thickness', frame.sliceThickness, limits.sliceThickness, ' mm'))
    for (const spacing of frame.pixelSpacing ?? [])
      broken.add(beyond('Pixel Spacing', spacing, limits.pixelSpacing, ' mm'))
    broken.add(beyond('Rows', frame.rows, limits.rows))
    broken.add(beyond('Columns', frame.columns, limits.columns))
    checkTexts(frame, limits, broken)
    if (broken.many) break
  }
  broken.refuse()
}

function checkTexts(frame: Frame, limits: Exclude<PipelineInput, InputOf<'segmentation'>>, broken: Broken): void {
  const { elements } = frame.file
  broken.add(noneOf('Manufacturer', textOf(elements, 'Manufacturer'), limits.manufacturer))
  const bodyPart = textOf(elements, 'BodyPartExamined') ?? textOf(anatomyOf(frame), 'CodeMeaning')
  broken.add(noneOf('Body Part Examined', bodyPart, limits.bodyPart))
  if ('kernel' in limits) {
    const kernel =
      elements['00181210']?.Value?.join('\\') ?? textOf(frame.group('CTReconstructionSequence'), 'ConvolutionKernel')
    broken.add(noneOf('Convolution Kernel', kernel, limits.kernel))
  }
  if (limits.contrast !== 'allowed') broken.add(contrastOf(elements, limits.contrast))
  for (const [keyword, range] of Object.entries(limits.attributes ?? {})) {
    const value = numberOf(elements, keyword)
    broken.add(value === null ? `${keyword} is absent, a number is expected` : beyond(keyword, value, range))
  }
}

function anatomyOf(frame: Frame): DicomJson {
  return itemsOf(frame.group('FrameAnatomySequence'), 'AnatomicRegionSequence')[0] ?? {}
}

/** Holds a number of things against its limits. */
export function checkCount(what: string, count: number, range: Range | undefined): void {
  const broken = new Broken()
  broken.add(beyond(`the number of ${what}`, count, range))
  broken.refuse()
}

/**
 * Holds the volume's geometry against what the pipeline declares, whichever way it is sliced.
 * @throws {InferError} `refused` with the value and the limit
 */
export function checkGrid(grid: Grid, limits: InputOf<'volume'> | InputOf<'sequence'>): void {
  const broken = new Broken()
  broken.add(beyond('the distance between slices', grid.spacing[2], limits.sliceSpacing, ' mm'))
  broken.add(beyond("the angle between the slices and the patient's axes", obliquityOf(grid), limits.obliquity, '°'))
  const orientation = orientationOf(grid)
  if (limits.orientation && !limits.orientation.includes(orientation))
    broken.add(`the slices are ${orientation}, ${limits.orientation.join(' or ')} is expected`)
  broken.refuse()
}

/** The largest angle between an axis of the grid and the patient's axis that it is nearest to, degrees. */
export function obliquityOf({ axes }: Grid): number {
  const cosine = Math.min(...axes.map((axis) => Math.max(...axis.map(Math.abs))))
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI
}

function orientationOf({ axes }: Grid): 'axial' | 'coronal' | 'sagittal' {
  const [x, y, z] = axes[2].map(Math.abs) as [number, number, number]
  if (z >= x && z >= y) return 'axial'
  return y >= x ? 'coronal' : 'sagittal'
}

/** What scanners write for "no contrast agent". */
const none = new Set(['', 'NONE', 'NO', 'N', 'NO CONTRAST', 'NON CONTRAST', 'WITHOUT', 'W/O', '0'])

function contrastOf(elements: DicomJson, wanted: 'forbidden' | 'required'): string | null {
  const agent = (textOf(elements, 'ContrastBolusAgent') ?? '').trim()
  const items = itemsOf(elements, 'ContrastBolusAgentSequence').length
  const given = !none.has(agent.toUpperCase())
  if (wanted === 'required')
    return given || items > 0 ? null : 'Contrast/Bolus Agent is absent, a scan with contrast agent is expected'
  if (given) return `Contrast/Bolus Agent is ${shown(agent, 'given')}, a scan without contrast agent is expected`
  if (items === 0) return null
  return `Contrast/Bolus Agent Sequence has ${items} items, a scan without contrast agent is expected`
}

/** A sentence with the value and the limit that it breaks, or null. */
function beyond(subject: string, value: number, range: Range | undefined, unit = ''): string | null {
  const text = `${subject} is ${Number(value.toFixed(3))}${unit}`
  if (range?.maximum !== undefined && value > range.maximum)
    return `${text}, at most ${range.maximum}${unit} is accepted`
  if (range?.minimum !== undefined && value < range.minimum)
    return `${text}, at least ${range.minimum}${unit} is expected`
  return null
}

/** Texts are compared without regard to case and blanks at the ends. */
function noneOf(
  subject: string,
  value: string | null | undefined,
  accepted: readonly string[] | undefined,
): string | null {
  if (!accepted) return null
  const plain = (text: string): string => text.trim().toUpperCase()
  if (value && accepted.some((text) => plain(text) === plain(value))) return null
  return `${subject} is ${value ? shown(value) : 'absent'}, ${accepted.join(' or ')} is expected`
}

/** Free text: only what looks like a name of a product or a code is repeated. */
function shown(text: string, otherwise = 'another'): string {
  return /^[\w ./&+\\-]{1,32}$/.test(text) ? text : otherwise
}
