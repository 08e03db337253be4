import * as ort from 'onnxruntime-node'
import type { PipelineManifest } from './manifest.ts'

/** A volume of Hounsfield units, x fastest, then y, then z. */
export interface DensityVolume {
  size: readonly [number, number, number]
  density: Int16Array
}

/**
 * Runs a model over a volume, slab by slab along z. Each run sees `halo` more slices on either side, so that the result is the same as
 * that of one run over the whole volume, in the memory of a slab.
 * @param session takes float32 [Z, H, W] and gives uint8 [Z, H, W]
 * @returns the output, one byte a voxel
 */
export async function runSlabs(
  session: ort.InferenceSession,
  volume: DensityVolume,
  plan: PipelineManifest['inference'],
  onSlab?: (fraction: number) => void | Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const [nx, ny, nz] = volume.size
  const plane = nx * ny
  const result = new Uint8Array(plane * nz)
  const input = new Float32Array(plane * Math.min(nz, plan.slab + 2 * plan.halo))
  for (let start = 0; start < nz; start += plan.slab) {
    const end = Math.min(nz, start + plan.slab)
    const from = Math.max(0, start - plan.halo)
    const to = Math.min(nz, end + plan.halo)
    const values = input.subarray(0, (to - from) * plane)
    values.set(volume.density.subarray(from * plane, to * plane))
    const tensor = new ort.Tensor('float32', values, [to - from, ny, nx])
    const outputs = await session.run({ [plan.input]: tensor }, [plan.output])
    const output = outputs[plan.output] as ort.Tensor
    const data = output.data as Uint8Array
    result.set(data.subarray((start - from) * plane, (end - from) * plane), start * plane)
    output.dispose()
    tensor.dispose()
    await onSlab?.(end / nz)
  }
  return result
}
