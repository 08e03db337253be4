import { numberOf, textOf } from '../../dicom/dataset.ts'
import { add, scale } from '../../dicom/geometry.ts'
import { type Grid, type Image, voxelsOf } from '../image.ts'
import type {
  InferredFinding,
  InferredMeasurement,
  InferredOutput,
  InferredPicture,
  InferredPlanes,
  InstanceReference,
  LocatedFinding,
} from '../inference.ts'
import type { OutputManifest, OverlayManifest } from '../manifest/output.ts'
import type { OpenedInput } from '../read/opened-input.ts'
import { classification, locatedFindings } from './findings.ts'
import { parametersOf } from './parameters.ts'
import { pictureOf, segmentsShown, sourceOf, usedByOutput } from './plan.ts'
import type { Run } from './run.ts'
import { type NamedSegment, namedSegments, segmentsOnSource } from './segments.ts'
import type { SourceGrids } from './source-grid.ts'

/**
 * The outputs of a run, made one after the other: what the one before was made of goes, where nothing else needs it. An output of which an
 * absent input leaves nothing is left out.
 */
export function* outputsOf(
  wanted: readonly OutputManifest[],
  { run, grids, measurements }: { run: Run; grids: SourceGrids; measurements: readonly InferredMeasurement[] },
): Generator<InferredOutput> {
  const { outputs } = run.pipeline
  for (const output of wanted) {
    const used = usedByOutput(output, run.pipeline, run.plan.origins)
    const missing = used.find((name) => !run.values.find(name))
    const ordinal = outputs.filter((other) => isAlike(other, output)).indexOf(output)
    if (missing === undefined && run.opened.has(sourceOf(output, run.pipeline)))
      yield inferredOutput(output, ordinal, { run, grids, measurements })
    else
      run.log.push(
        `output ${output.id ?? output.kind}: left out, there is no ${missing ?? sourceOf(output, run.pipeline)}`,
      )
    run.values.used(used)
  }
}

/** Of one kind, and as segmentations of one format: their results have one role. */
function isAlike(one: OutputManifest, other: OutputManifest): boolean {
  if (one.kind === 'segmentation' && other.kind === 'segmentation') return one.format === other.format
  return one.kind === other.kind
}

interface OutputContext {
  run: Run
  grids: SourceGrids
  measurements: readonly InferredMeasurement[]
}

function inferredOutput(output: OutputManifest, ordinal: number, context: OutputContext): InferredOutput {
  const { run, grids } = context
  const source = sourceOf(output, run.pipeline)
  const opened = grids.source(source)
  const named = namedSegments(segmentsShown(output, run.pipeline, run.plan.origins), run)
  const fractional = output.kind === 'segmentation' && output.format === 'fractional'
  const onSource = segmentsOnSource(named, { run, grids, source })
  return {
    output,
    ordinal,
    source: opened.source,
    furtherInputs: furtherInputs(source, run),
    ...(fractional ? probabilities(named, { run, grids, source }) : { ...onSource, probabilityOf: () => null }),
    measurements: measurementsFor(named, source, context),
    findings: findingsOf(output, opened, run),
    classification: classificationOf(output, run),
    ...valuesOf(output, source, context),
    picture: picture(output, source, context),
    arrived: named.every(({ arrived }) => arrived) ? (run.arrived.get(named[0]?.from ?? '')?.instance ?? null) : null,
    parameters: parametersOf(run.pipeline.measure),
  }
}

/** Measurements of the segments that are shown, and those of the whole, of the source's study. */
function measurementsFor(
  named: readonly NamedSegment[],
  source: string,
  { run, measurements }: OutputContext,
): InferredMeasurement[] {
  const studyOf = (input: string): string | undefined => run.pipeline.inputs.find(({ name }) => name === input)?.from
  const ids = new Set(named.map(({ id }) => id))
  return measurements.filter(
    ({ segment, origin }) => studyOf(origin) === studyOf(source) && (segment === null || ids.has(segment)),
  )
}

/** Every other instance that was read: of the study, and of earlier ones. */
function furtherInputs(source: string, { opened, arrived }: Run): InstanceReference[] {
  const references: InstanceReference[] = []
  for (const [name, { source: series, given }] of opened) {
    if (name === source) continue
    const seen = new Set<string>()
    for (const { sopClassUID, sopInstanceUID, seriesInstanceUID } of series.slices) {
      if (seen.has(sopInstanceUID)) continue
      seen.add(sopInstanceUID)
      references.push({
        ...(given.studyInstanceUID === undefined ? {} : { studyInstanceUID: given.studyInstanceUID }),
        seriesInstanceUID: seriesInstanceUID ?? series.seriesInstanceUID,
        sopClassUID,
        sopInstanceUID,
      })
    }
  }
  return [...references, ...[...arrived.values()].map(({ instance }) => instance)]
}

function probabilities(
  named: readonly NamedSegment[],
  { run, grids, source }: { run: Run; grids: SourceGrids; source: string },
): Pick<InferredOutput, 'segments' | 'labelsOf' | 'probabilityOf'> {
  const ofImages = named.filter(({ from }) => run.values.get(from).value.kind === 'image')
  const images = new Map(ofImages.map(({ id, from, value }) => [id, grids.channel(from, value, source)]))
  const segments = ofImages.map(({ id, definition }, index) => ({
    id,
    number: index + 1,
    definition,
    voxels: 0,
    bestSlice: null,
    maskOf: () => null,
  }))
  return {
    segments,
    labelsOf: null,
    probabilityOf: (id, slice) => {
      const image = images.get(id)
      return image ? asFloats(planeOf(image, slice)) : null
    },
  }
}

function planeOf({ grid, data }: Image, plane: number): Image['data'] {
  const pixels = grid.size[0] * grid.size[1]
  return data.subarray(plane * pixels, (plane + 1) * pixels)
}

function asFloats(data: Image['data']): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data)
}

function findingsOf(output: OutputManifest, source: OpenedInput, run: Run): LocatedFinding[] {
  const described = 'findings' in output ? output.findings : undefined
  if (!described) return []
  const { value } = run.values.get(described.from)
  return value.kind === 'boxes' || value.kind === 'points' ? locatedFindings(value, described, source) : []
}

function classificationOf(output: OutputManifest, run: Run): InferredFinding[] {
  const described =
    output.kind === 'classification-report' ? output : 'classification' in output ? output.classification : undefined
  if (!described) return []
  const { value } = run.values.get(described.from)
  if (value.kind !== 'numbers') return []
  const findings = classification(value.numbers, described)
  return output.kind === 'classification-report' && output.report === 'found'
    ? findings.filter(({ found }) => found)
    : findings
}

function valuesOf(
  output: OutputManifest,
  source: string,
  { run, grids }: OutputContext,
): Pick<InferredOutput, 'planes' | 'valuesOf' | 'holdsLabels'> {
  if (output.kind !== 'parametric-map' && output.kind !== 'derived-images' && output.kind !== 'nifti')
    return { planes: null, valuesOf: null, holdsLabels: false }
  const { value } = run.values.get(output.from)
  const own = output.grid === 'own'
  if (value.kind === 'labels') {
    const { grid, labels } = own ? value.labels : grids.onSlicesOf(value.labels, source)
    const image: Image = { grid, channels: 1, data: labels }
    return { planes: own ? planesOf(grid) : null, valuesOf: (plane) => planeOf(image, plane), holdsLabels: true }
  }
  const image = grids.channel(output.from, output.channel, own ? null : source)
  return { planes: own ? planesOf(image.grid) : null, valuesOf: (plane) => planeOf(image, plane), holdsLabels: false }
}

/** The planes of a grid: rows along its first axis, columns along its second. */
function planesOf({ size, spacing, origin, axes }: Grid): InferredPlanes {
  return {
    rows: size[1],
    columns: size[0],
    pixelSpacing: [spacing[1], spacing[0]],
    imageOrientationPatient: [...axes[0], ...axes[1]],
    positions: Array.from({ length: size[2] }, (_, k) => [...add(origin, scale(axes[2], k * spacing[2]))]),
    sliceSpacing: size[2] > 1 ? spacing[2] : null,
    sliceThickness: spacing[2],
  }
}

function picture(output: OutputManifest, source: string, { run, grids }: OutputContext): InferredPicture | null {
  const overlay = pictureOf(output)
  if (!overlay) return null
  const { value } = run.values.get(source)
  if (value.kind !== 'image') return null
  const grey = greyOf(value.image)
  const { heatMap } = overlay
  const heat = heatMap ? grids.channel(heatMap.from, heatMap.channel, source) : null
  return {
    greyOf: grey,
    window: windowOf(overlay, grids.source(source).source.header, value.image),
    heatOf: heat && ((slice) => asFloats(planeOf(heat, slice))),
  }
}

/** Slices of an image's first channel; of colours their luminance. */
function greyOf(image: Image): (slice: number) => ArrayLike<number> {
  const { grid, channels, data } = image
  const voxels = voxelsOf(grid)
  if (channels !== 3 || !(data instanceof Uint8Array)) return (slice) => planeOf(image, slice)
  return (slice) => {
    const [red, green, blue] = [0, 1, 2].map((channel) =>
      planeOf({ ...image, data: data.subarray(channel * voxels, (channel + 1) * voxels) }, slice),
    ) as [Image['data'], Image['data'], Image['data']]
    return Float32Array.from(
      red,
      (value, i) => 0.299 * value + 0.587 * (green[i] as number) + 0.114 * (blue[i] as number),
    )
  }
}

function windowOf(
  { window }: OverlayManifest,
  header: InferredOutput['source']['header'],
  { data }: Image,
): InferredPicture['window'] {
  const inverted = textOf(header, 'PhotometricInterpretation') === 'MONOCHROME1'
  if (window) return { ...window, inverted }
  const [center, width] = [numberOf(header, 'WindowCenter'), numberOf(header, 'WindowWidth')]
  if (center !== null && width !== null && width > 0) return { center, width, inverted }
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  return { center: (least + greatest) / 2, width: Math.max(1e-6, greatest - least), inverted }
}
