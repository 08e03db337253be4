import { textOf } from '../../dicom/dataset.ts'
import { axesOf, dot } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import type { InputOf } from '../manifest/input.ts'
import type { TaskInput } from '../task.ts'
import { checkCount, checkFrames, checkGrid } from './acceptance.ts'
import { framesOf, type Plane, planesOf } from './frame.ts'
import type { OpenedInput, OpenNote } from './opened-input.ts'
import { readPixels } from './pixels.ts'
import { durationOf, keysOf, lastResorts, orders, type SequenceKey, times } from './sequence-keys.ts'
import { describeEncoding, readHeaders } from './series.ts'
import { type StackedPlanes, sourceOfStack, stackPlanes } from './stack.ts'

/** Planes nearer than this along their normal are at one place, mm. */
const samePlace = 0.05

/**
 * Opens a sequence: volumes at one place that differ in time, cardiac phase, b-value or echo, in one series or several of the study. Its
 * image has a channel a volume.
 * @throws {InferError} `refused` when the planes make no volumes, or volumes that cannot be told apart; `unreadable-input`
 */
export async function openSequence(
  given: TaskInput,
  input: InputOf<'sequence'>,
  { log }: OpenNote,
): Promise<OpenedInput> {
  const files = await readHeaders(given, input)
  const planes = planesOf(files.flatMap(framesOf))
  checkFrames(planes, input)
  const places = byPlace(planes)
  checkCount('volumes', places[0]?.length ?? 0, input.phases ?? { minimum: 2 })
  const { key, volumes } = inOrder(places, input)
  const stacks = volumes.map((volume) => stackPlanes(volume))
  const first = stacks[0] as StackedPlanes
  checkCount('slices', first.planes.length, input.slices)
  checkGrid(first.grid, input)
  const axis = axisOf(volumes, key, input)
  log.push(
    `${volumes.length} volumes by ${key.name} (${axis.map((value) => Number(value.toFixed(2))).join(', ')}), each of ${first.grid.size[2]} slices of ${first.grid.size[0]}x${first.grid.size[1]}`,
  )
  describeEncoding(files, log)
  const source = sourceOfStack(first.planes[0]?.seriesInstanceUID || given.seriesInstanceUID, first)
  return {
    source,
    grid: first.grid,
    places: null,
    axis,
    given,
    frameOfReferenceUID: textOf(source.header, 'FrameOfReferenceUID'),
    read: (options) =>
      readPixels(
        stacks.flatMap((stack) => stack.planes),
        first.grid,
        { ...options, ...input, colours: 'grey' },
      ),
  }
}

/** The planes at each place along their normal, from the lowest; as many at each. */
function byPlace(planes: readonly Plane[]): Plane[][] {
  const axes = axesOf(planes[0]?.imageOrientationPatient ?? [])
  if (!axes) throw refusal('Image Orientation (Patient) is not two perpendicular unit vectors')
  const along = new Map(planes.map((plane) => [plane, dot(plane.imagePositionPatient, axes.normal)]))
  const sorted = [...planes].sort((a, b) => (along.get(a) ?? 0) - (along.get(b) ?? 0))
  const places: Plane[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const plane of sorted) {
    const position = along.get(plane) ?? 0
    if (position - last > samePlace) places.push([])
    places.at(-1)?.push(plane)
    last = position
  }
  const counts = new Map<number, number>()
  for (const { length } of places) counts.set(length, (counts.get(length) ?? 0) + 1)
  if (counts.size > 1) {
    const [usual] = [...counts].sort((a, b) => b[1] - a[1])[0] as [number, number]
    const odd = places.filter(({ length }) => length !== usual)
    throw refusal(
      `the sequence is incomplete: ${odd.length} of ${places.length} places have ${odd[0]?.length} images, the others ${usual}`,
    )
  }
  return places
}

/** The volumes of the sequence: the first planes of every place, the second, and so on, by the first key that tells them apart. */
function inOrder(places: readonly Plane[][], { by }: InputOf<'sequence'>): { key: SequenceKey; volumes: Plane[][] } {
  const candidates = keysOf[by]
  // Several directions share a b-value: what else differs tells them apart.
  const key = candidates.find((candidate) => (by === 'b-value' ? isKnown : tellsApart)(places, candidate))
  if (!key)
    throw refusal(
      `the volumes of the sequence cannot be told apart by ${candidates.map(({ name }) => name).join(', ')}`,
    )
  const tie = [...orders, ...times, ...lastResorts].find((candidate) => tellsApart(places, candidate))
  const rank = (plane: Plane): [number, number] => [key.of(plane) ?? 0, tie?.of(plane) ?? 0]
  const sorted = places.map((place) => {
    const ranks = new Map(place.map((plane) => [plane, rank(plane)]))
    const of = (plane: Plane): [number, number] => ranks.get(plane) as [number, number]
    return [...place].sort((a, b) => of(a)[0] - of(b)[0] || of(a)[1] - of(b)[1])
  })
  const count = sorted[0]?.length ?? 0
  const volumes = Array.from({ length: count }, (_, n) => sorted.map((place) => place[n] as Plane))
  if (by === 'b-value' || by === 'echo') for (const volume of volumes) checkAlike(volume, key)
  return { key, volumes }
}

function isKnown(places: readonly Plane[][], key: SequenceKey): boolean {
  return places.every((place) => place.every((plane) => key.of(plane) !== null))
}

function tellsApart(places: readonly Plane[][], key: SequenceKey): boolean {
  return (
    isKnown(places, key) && places.every((place) => new Set(place.map((plane) => key.of(plane))).size === place.length)
  )
}

/** The slices of a volume have one b-value, one echo time. */
function checkAlike(volume: readonly Plane[], key: SequenceKey): void {
  const values = volume.map((plane) => key.of(plane) ?? 0)
  const [least, greatest] = [Math.min(...values), Math.max(...values)]
  if (greatest - least > Math.max(0.05 * greatest, 1e-3))
    throw refusal(`the slices of a volume differ in ${key.name}: ${least} to ${greatest}`)
}

/** Where the volumes lie along the axis: times from the first, seconds; else the values themselves. */
function axisOf(volumes: readonly Plane[][], key: SequenceKey, { by }: InputOf<'sequence'>): number[] {
  const middles = (candidate: SequenceKey): number[] =>
    volumes.map((volume) => median(volume.map((plane) => candidate.of(plane) ?? Number.NaN)))
  if (by !== 'time') return middles(key)
  for (const candidate of times) {
    const values = middles(candidate)
    const grows = values.every((value, n) => n === 0 || value > (values[n - 1] as number))
    if (grows) return values.map((value) => Number((value - (values[0] as number)).toFixed(6)))
  }
  const duration = durationOf(volumes[0]?.[0] as Plane)
  if (duration === null)
    throw refusal('the times of the volumes are not known: no attribute grows from one to the next')
  return volumes.map((_, n) => n * duration)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}
