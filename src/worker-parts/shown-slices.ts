import type { SourceSlice } from '../encode/encoding-input.ts'
import type { InferredOutput } from '../infer/inference.ts'
import type { OverlayManifest } from '../infer/manifest/output.ts'

/** Slices that a picture shows, in order; undefined: all. */
export function pictureSlices(inferred: InferredOutput, { slices, heatMap }: OverlayManifest): number[] | undefined {
  if (slices === 'all') return undefined
  const { segments, source, picture } = inferred
  const marked = new Set<number>()
  const heat = picture?.heatOf
  const limit = heatMap?.range[0] ?? 0
  let hottest = { slice: 0, value: Number.NEGATIVE_INFINITY }
  for (let slice = 0; slice < source.slices.length; slice++) {
    if (slices === 'marked' && segments.some(({ maskOf }) => maskOf(slice) !== null)) marked.add(slice)
    if (!heat) continue
    const value = heat(slice).reduce((greatest, v) => Math.max(greatest, v), Number.NEGATIVE_INFINITY)
    if (slices === 'marked' && value > limit) marked.add(slice)
    if (value > hottest.value) hottest = { slice, value }
  }
  if (slices === 'best') {
    for (const { bestSlice } of segments) if (bestSlice !== null) marked.add(bestSlice)
    if (heat) marked.add(hottest.slice)
  }
  // A picture without anything on it says that nothing was found.
  if (marked.size === 0) marked.add(source.slices.length >> 1)
  return [...marked].sort((a, b) => a - b)
}

/** The slices that show findings, the most probable first, and then segments, the largest first. */
export function keySlices({ findings, segments, source }: InferredOutput, maximum: number): SourceSlice[] {
  const ofFindings = findings.map(({ slice }) => slice)
  const ofSegments = [...segments]
    .sort((a, b) => b.voxels - a.voxels)
    .flatMap(({ bestSlice }) => (bestSlice === null ? [] : [bestSlice]))
  const chosen = [...new Set([...ofFindings, ...ofSegments])].slice(0, maximum)
  return chosen.flatMap((slice) => source.slices[slice] ?? [])
}
