import { type Component, type Components, findComponents } from '../../components.ts'
import { refusal } from '../../error.ts'
import { forEachLabelRun } from '../../label-runs.ts'
import { type LabelBox, labelBoxes } from '../label-boxes.ts'
import { markAirways } from './airways.ts'
import { closeLung, fillHoles } from './close-lung.ts'
import { label, litres, millilitres, type Work } from './labels.ts'
import type { LungsParameters } from './options.ts'
import { removeOutsideAir } from './outside-air.ts'
import { separateLungs } from './separate-lungs.ts'
import { tidyLung } from './tidy-lung.ts'

/** A smaller second part is no lung: a lung that was missed, or stays joined to the other. */
const smallestShare = 0.15

/**
 * Turns air inside the body into lungs: afterwards the labels hold left lung, right lung and airways.
 * @param work labels hold the model's candidates
 * @param progress is told which part of the work is done, roughly, 0 to 1
 * @throws {InferError} `refused` when there are no lungs, only one, or the scan cuts them off
 */
export function findLungs(
  work: Work,
  parameters: LungsParameters,
  progress: (fraction: number) => void = () => {},
): void {
  removeOutsideAir(work)
  progress(0.2)
  markAirways(work)
  progress(0.4)
  selectLungs(work, parameters)
  const boxes = labelBoxes({ grid: work.extent, labels: work.labels })
  checkVolume(work, boxes, parameters)
  for (const [index, side] of [label.leftLung, label.rightLung].entries()) {
    progress(0.5 + 0.25 * index)
    const around = boxes.find((box) => box.label === side)
    if (!around) continue
    fillHoles(work, side, around)
    closeLung(work, side, { radius: parameters.closingRadius, around })
    fillHoles(work, side, around)
    tidyLung(work, side, around)
  }
  checkEnds(work, parameters)
}

interface Found extends Component {
  index: number
  millilitres: number
  mean: number
}

/** Labels the two lungs, right and left by the patient's coordinates, and clears every other candidate. */
function selectLungs(work: Work, parameters: LungsParameters): void {
  const { extent, labels } = work
  const air = findComponents(extent, { labels, value: label.air }, { connectivity: 6 })
  const found = largest(work, air)
  const first = found[0]
  if (!first || first.millilitres < parameters.minimumVolume * 500)
    throw refusal(
      `no lungs: the largest air component inside the body is ${litres(first?.millilitres ?? 0)}, at least ${parameters.minimumVolume} L is expected of both lungs`,
      { volume: first?.millilitres ?? 0 },
    )
  const { minimum, maximum } = parameters.meanDensity
  const lungs = found.filter(({ mean }) => mean >= minimum && mean <= maximum)
  const main = lungs[0]
  if (!main)
    throw refusal(
      `no lungs: the largest air component inside the body has a mean density of ${Math.round(first.mean)} HU, ${minimum} to ${maximum} HU is expected`,
      { mean: first.mean },
    )
  const second = lungs.find((other) => other !== main && isOtherSide(main, other))
  if (second && second.voxels >= main.voxels * smallestShare) {
    const mainIsLeft = main.sumX / main.voxels > second.sumX / second.voxels
    relabel(work, air, {
      [main.index]: mainIsLeft ? label.leftLung : label.rightLung,
      [second.index]: mainIsLeft ? label.rightLung : label.leftLung,
    })
  } else {
    relabel(work, air, { [main.index]: label.lungs })
    separateLungs(work, main)
  }
}

/** The largest components with their volume and mean density. */
function largest(work: Work, air: Components): Found[] {
  const byVolume = air.list.map((component, index) => ({ ...component, index })).sort((a, b) => b.voxels - a.voxels)
  const sums = new Map(byVolume.slice(0, 12).map(({ index }) => [index, 0]))
  air.forEachRun(({ offset, length, component }) => {
    const before = sums.get(component)
    if (before === undefined) return
    let sum = before
    for (let i = offset; i < offset + length; i++) sum += work.density[i] as number
    sums.set(component, sum)
  })
  return byVolume.slice(0, 12).map((component) => ({
    ...component,
    millilitres: millilitres(work, component.voxels),
    mean: (sums.get(component.index) ?? 0) / component.voxels,
  }))
}

/** The other lung lies beside the first: at the same height, and not above or in front of it. */
function isOtherSide(one: Component, other: Component): boolean {
  const overlap = Math.min(one.high[2], other.high[2]) - Math.max(one.low[2], other.low[2])
  const height = Math.min(one.high[2] - one.low[2], other.high[2] - other.low[2])
  const centre = other.sumX / other.voxels
  const centreOfOne = one.sumX / one.voxels
  return (
    overlap > height / 2 &&
    (centre < one.low[0] + (centreOfOne - one.low[0]) / 2 || centre > centreOfOne + (one.high[0] - centreOfOne) / 2)
  )
}

function relabel(work: Work, air: Components, to: Record<number, number>): void {
  air.forEachRun(({ offset, length, component }) => {
    work.labels.fill(to[component] ?? label.none, offset, offset + length)
  })
}

function checkVolume(work: Work, boxes: readonly LabelBox[], { minimumVolume }: LungsParameters): void {
  const [left, right] = [label.leftLung, label.rightLung].map((side) =>
    millilitres(work, boxes.find((box) => box.label === side)?.voxels ?? 0),
  ) as [number, number]
  if (left + right < minimumVolume * 1000)
    throw refusal(`no lungs: both together are ${litres(left + right)}, at least ${minimumVolume} L is expected`, {
      left,
      right,
    })
}

/** The scan must hold the lungs whole: at its ends they have become small. */
function checkEnds(work: Work, { largestEndArea }: LungsParameters): void {
  const { extent, labels } = work
  const [nx, ny, nz] = extent.size
  const areas = new Float64Array(nz)
  for (let z = 0; z < nz; z++) {
    let pixels = 0
    const add = (found: number, start: number, end: number): void => {
      if (found === label.leftLung || found === label.rightLung) pixels += end - start
    }
    forEachLabelRun(labels, add, { from: z * nx * ny, to: (z + 1) * nx * ny })
    areas[z] = (pixels * extent.spacing[0] * extent.spacing[1]) / 100
  }
  const most = areas.reduce((a, b) => Math.max(a, b), 0)
  for (const [end, area] of [
    ['lowest', areas[0] as number],
    ['highest', areas[nz - 1] as number],
  ] as const)
    if (area > most * largestEndArea)
      throw refusal(
        `the scan cuts the lungs off: its ${end} slice shows ${area.toFixed(0)} cm² of lung, at most ${(most * largestEndArea).toFixed(0)} cm² is accepted`,
        { area, most },
      )
}
