import type { EncodedObject } from '../../src/encode/encoded.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { encodeOutput, type Output } from '../../src/encode/outputs.ts'

/** The result objects of a pipeline with segments and measurements, made one after the other, as `ct-lung-density` asks for them. */
export function* lungResults(input: EncodingInput): Generator<EncodedObject> {
  const { segments, measurements } = input
  const outputs: Output[] = [
    { kind: 'segmentation', format: 'binary', segments },
    { kind: 'measurement-report', segments, measurements },
    { kind: 'planar-report', segments, measurements },
  ]
  for (const output of outputs)
    for (const result of encodeOutput(input, output)) if (result.kind === 'object') yield result
}
