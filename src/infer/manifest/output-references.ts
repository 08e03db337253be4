import { messageOf } from '../../errors.ts'
import { suggestion } from '../../nearest-name.ts'
import { unitRatio } from '../measure/units.ts'
import type { ValueKind } from '../value.ts'
import type { MeasurementManifest } from './measurement.ts'
import type { OutputManifest } from './output.ts'
import { type References, worded } from './reference-checks.ts'
import type { Path } from './value-graph.ts'

/** Checks what segments, measurements and outputs refer to. */
export function checkResults(references: References): void {
  const { manifest, fault } = references
  checkSegments(references)
  checkMeasurements(references)
  const taken = new Map<string, number>()
  for (const [index, output] of manifest.outputs.entries()) {
    const path = ['outputs', index]
    const key = `${output.kind} ${output.id ?? ''}`
    const other = taken.get(key)
    if (other !== undefined) fault(path, `outputs.${other} is ${output.kind} too: each needs an id of its own`)
    taken.set(key, index)
    checkOutput(output, path, references)
  }
}

function checkSegments({ manifest, fault, expectValue }: References): void {
  const ids = new Set<string>()
  const labels = new Map<string, number>()
  for (const [index, segment] of manifest.segments.entries()) {
    const path = ['segments', index]
    if (ids.has(segment.id)) fault([...path, 'id'], `another segment has the id ${segment.id}`)
    ids.add(segment.id)
    if ('every' in segment) {
      const input = manifest.inputs.find(({ name }) => name === segment.from)
      if (input?.kind !== 'segmentation')
        fault(
          [...path, 'from'],
          `${segment.from} is no input of the kind segmentation: only those define their segments`,
        )
      continue
    }
    const from = expectValue(segment.from, [...path, 'from'], ['labels', 'image'])
    if (from?.kind === 'labels' && segment.value === 0)
      fault([...path, 'value'], '0 is the background: a label from 1 is expected')
    const label = `${segment.from} ${segment.value}`
    const other = labels.get(label)
    if (other !== undefined)
      fault([...path, 'value'], `segments.${other} has the value ${segment.value} of ${segment.from} too`)
    labels.set(label, index)
  }
}

function checkMeasurements(references: References): void {
  const { manifest, fault, expectValue } = references
  const ids = new Set<string>()
  for (const [index, entry] of manifest.measure.entries()) {
    const path = ['measure', index]
    if (ids.has(entry.id)) fault([...path, 'id'], `another measurement has the id ${entry.id}`)
    ids.add(entry.id)
    checkSegment(manifest.segments, entry.segment, { path: [...path, 'segment'], fault })
    if ('quantity' in entry) {
      checkQuantity(entry, path, references)
      continue
    }
    expectValue(entry.of, [...path, 'of'], ['image'])
    if (manifest.segments.length === 0) fault(path, 'radiomics are those of segments: none is declared in segments')
  }
}

/** Holds what a quantity is measured on against what it needs. */
function checkQuantity(
  { quantity: { step }, of, segment, change, unit }: MeasurementManifest,
  path: Path,
  { manifest, tables, values, fault, expectValue }: References,
): void {
  const { subject, unit: own } = tables.quantities[step] ?? {}
  checkUnit(own, unit.value, { path: [...path, 'unit', 'value'], fault })
  const needs: ValueKind | null =
    subject === 'image+segment' ? 'image' : subject === 'boxes' || subject === 'numbers' ? subject : null
  if (needs && of === undefined) fault([...path, 'of'], `${step} is measured on ${worded(needs)}: of is missing`)
  else if (needs && of !== undefined) expectValue(of, [...path, 'of'], [needs])
  else if (of !== undefined) fault([...path, 'of'], `${step} has no use for of`)
  if (subject === 'prior') checkChange(change, path, { manifest, fault })
  else if (change) fault([...path, 'change'], `${step} is no change`)
  if (subject !== 'segment' && subject !== 'image+segment') {
    if (segment !== undefined && subject !== 'prior')
      fault([...path, 'segment'], `${step} is not measured on a segment`)
    return
  }
  const measured = manifest.segments.filter(({ id }) => segment === undefined || segment === id)
  const maps = new Set(measured.map(({ from }) => from))
  if (maps.size === 0 && segment === undefined)
    fault(path, `${step} is measured on segments: none is declared in segments`)
  if (maps.size > 1)
    fault(path, `the segments lie in several label maps (${[...maps].join(', ')}): segment has to name one`)
  // A segment that is made of nothing has a problem of its own.
  for (const from of maps) if (values.has(from)) expectValue(from, [...path, 'segment'], ['labels'])
}

/** A unit that the quantity cannot be given in. Numbers without a unit, and those in the unit of an image, may have any. */
function checkUnit(
  own: string | undefined,
  unit: string,
  { path, fault }: { path: Path; fault: References['fault'] },
): void {
  if (own === undefined || own === 'image' || own === '1') return
  try {
    unitRatio(own, unit)
  } catch (error) {
    fault(path, messageOf(error))
  }
}

function checkChange(
  change: MeasurementManifest['change'],
  path: Path,
  { manifest, fault }: Pick<References, 'manifest' | 'fault'>,
): void {
  if (!change) {
    fault([...path, 'change'], 'change is missing: the ids of the measurement now and before')
    return
  }
  const index = Number(path[1])
  const known = manifest.measure.slice(0, index).flatMap((entry) => ('quantity' in entry ? [entry.id] : []))
  for (const which of ['now', 'before'] as const)
    if (!known.includes(change[which]))
      fault(
        [...path, 'change', which],
        `no earlier measurement has the id ${change[which]}${suggestion(change[which], known)}`,
      )
}

function checkSegment(
  segments: References['manifest']['segments'],
  id: string | undefined,
  at: { path: Path; fault: References['fault'] },
): void {
  const known = segments.map((segment) => segment.id)
  if (id !== undefined && !known.includes(id)) at.fault(at.path, `no segment has the id ${id}${suggestion(id, known)}`)
}

/** Outputs that are nothing without a segment. */
const ofSegments = new Set<OutputManifest['kind']>(['segmentation', 'structure-set'])

function checkOutput(output: OutputManifest, path: Path, references: References): void {
  const { manifest, fault, expectValue } = references
  const images = manifest.inputs.filter(({ kind }) => kind !== 'segmentation').map(({ name }) => name)
  if (output.source !== undefined && !images.includes(output.source))
    fault([...path, 'source'], `no input of images is called ${output.source}${suggestion(output.source, images)}`)
  if (images.length === 0) fault(path, 'an output speaks of images: no input gives any')
  if (ofSegments.has(output.kind) && manifest.segments.length === 0)
    fault(path, `${output.kind} shows segments: none is declared in segments`)
  if (output.kind === 'measurement-report' && manifest.measure.length === 0)
    fault(path, 'measurement-report reports measurements: none is declared in measure')
  if ('segments' in output)
    for (const [index, id] of (output.segments ?? []).entries())
      checkSegment(manifest.segments, id, { path: [...path, 'segments', index], fault })
  checkSegmentKinds(output, path, references)
  switch (output.kind) {
    case 'parametric-map':
    case 'derived-images':
      expectValue(output.from, [...path, 'from'], ['image'])
      break
    case 'nifti':
      expectValue(output.from, [...path, 'from'], ['image', 'labels'])
      break
    case 'classification-report':
      checkLocated(output, path, { references, kinds: ['numbers'] })
      break
    case 'colour-capture':
      checkHeatMap(output.heatMap, path, references)
      break
    case 'summary-pdf':
      checkHeatMap(output.picture?.heatMap, [...path, 'picture'], references)
      break
    default:
      break
  }
  if ('findings' in output && output.findings)
    checkLocated(output.findings, [...path, 'findings'], { references, kinds: ['boxes', 'points'] })
  if ('classification' in output && output.classification)
    checkLocated(output.classification, [...path, 'classification'], { references, kinds: ['numbers'] })
  if (output.kind === 'measurement-report') checkSegmentation(output, path, references)
}

/** Fractional segmentations show images, all others label maps. */
function checkSegmentKinds(output: OutputManifest, path: Path, { manifest, values, fault }: References): void {
  if (output.kind !== 'segmentation' && output.kind !== 'structure-set') return
  const wanted: ValueKind = output.kind === 'segmentation' && output.format === 'fractional' ? 'image' : 'labels'
  const shown = manifest.segments.filter(({ id }) => output.segments === undefined || output.segments.includes(id))
  for (const { id, from } of shown) {
    const kind = values.get(from)?.kind
    // Those of the other kind are left out of an output that shows "all"; one that is named must fit.
    if (kind && kind !== wanted && output.segments)
      fault([...path, 'segments'], `segment ${id} is ${worded(kind)}, ${worded(wanted)} is expected`)
  }
  if (shown.length > 0 && shown.every(({ from }) => (values.get(from)?.kind ?? wanted) !== wanted))
    fault(path, `no segment is ${worded(wanted)}`)
}

function checkSegmentation(
  output: Extract<OutputManifest, { kind: 'measurement-report' }>,
  path: Path,
  { manifest, fault }: References,
): void {
  if (output.segmentation === undefined) return
  const known = manifest.outputs.flatMap((other) => (other.kind === 'segmentation' ? [other.id ?? ''] : []))
  if (!known.includes(output.segmentation))
    fault(
      [...path, 'segmentation'],
      `no segmentation has the id ${output.segmentation}${suggestion(output.segmentation, known)}`,
    )
}

function checkHeatMap(heatMap: { from: string } | undefined, path: Path, { expectValue }: References): void {
  if (heatMap) expectValue(heatMap.from, [...path, 'heatMap', 'from'], ['image'])
}

function checkLocated(
  located: { from: string; classes: readonly { id: string }[] },
  path: Path,
  { references, kinds }: { references: References; kinds: readonly ValueKind[] },
): void {
  references.expectValue(located.from, [...path, 'from'], kinds)
  checkClasses(located.classes, [...path, 'classes'], references.fault)
}

function checkClasses(classes: readonly { id: string }[], path: Path, fault: References['fault']): void {
  const ids = new Set<string>()
  for (const [index, { id }] of classes.entries()) {
    if (ids.has(id)) fault([...path, index, 'id'], `another class has the id ${id}`)
    ids.add(id)
  }
}
