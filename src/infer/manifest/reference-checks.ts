import type { ValueKind } from '../value.ts'
import type { PipelineManifest } from './pipeline.ts'
import type { DeclaredValue, Path, StepTables } from './value-graph.ts'

/** What the checks of references share. */
export interface References {
  manifest: PipelineManifest
  tables: StepTables
  values: ReadonlyMap<string, DeclaredValue>
  /** Adds a problem. */
  fault(path: Path, message: string): void
  /** The value of a name, where it is of a kind that can stand there; else a problem is added. */
  expectValue(name: string, path: Path, kinds: readonly ValueKind[]): DeclaredValue | null
}

/** A kind in words. */
export function worded(kind: ValueKind): string {
  return {
    image: 'an image',
    labels: 'a label map',
    boxes: 'boxes',
    points: 'points',
    numbers: 'numbers',
    tensor: 'a tensor',
  }[kind]
}
