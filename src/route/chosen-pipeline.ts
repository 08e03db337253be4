import { createHash } from 'node:crypto'
import type { RouteDefinition } from './route-definition.ts'

/** The pipeline that a route sends a study to. */
export interface ChosenPipeline {
  /** As the route writes it. */
  pipeline: string
  /** For the decision; null where the route has no canary. */
  sentence: string | null
}

/**
 * Where a study falls between 0 and 1, by the SHA-256 of its UID: the same on every node, and for all its revisions. A canary whose
 * fraction grows keeps the studies that it had.
 */
export function shareOf(studyInstanceUID: string): number {
  return createHash('sha256').update(studyInstanceUID).digest().readUInt32BE(0) / 2 ** 32
}

/** The route's pipeline, or its canary for the part of the studies that goes there. */
export function choosePipeline(
  { pipeline, canary }: Pick<RouteDefinition, 'pipeline' | 'canary'>,
  studyInstanceUID: string,
): ChosenPipeline {
  if (!canary) return { pipeline, sentence: null }
  const share = shareOf(studyInstanceUID)
  const isCanary = share < canary.fraction
  const chosen = isCanary ? canary.pipeline : pipeline
  const compared = `${share.toFixed(4)} is ${isCanary ? 'below' : 'not below'} ${canary.fraction}`
  return { pipeline: chosen, sentence: `${isCanary ? 'the canary' : 'not the canary'}, ${chosen}: ${compared}` }
}
