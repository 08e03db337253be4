import type { TensorInfo } from '../runtime/model.ts'
import { inGridOrder } from './axes.ts'
import { type ConfigMap, componentOf, worded } from './monai-config.ts'
import { fixedOnGrid } from './tensor-roles.ts'

/** How a bundle runs its model. */
export interface MappedInferer {
  run: Record<string, unknown>
  /** Of the model's images. */
  layout: string
  notes: string[]
  todo: string[]
}

const numbersOf = (value: unknown): number[] | null => {
  const list: unknown[] = [value].flat()
  return list.every((one) => typeof one === 'number') ? list : null
}

/** @param layout of the images, where the inferer does not cut slices out of volumes */
export function mapInferer(config: unknown, { layout, image }: { layout: string; image: TensorInfo }): MappedInferer {
  const is3d = /[ZD]/.test(layout)
  const simple: MappedInferer = { run: { kind: is3d ? 'whole' : 'slices' }, layout, notes: [], todo: [] }
  const inferer = componentOf(config)
  if (!inferer) return { ...simple, notes: ['The bundle names no inferer: the model sees the whole image at once.'] }
  switch (inferer.target) {
    case 'SimpleInferer':
      return simple
    case 'SlidingWindowInferer':
    case 'SlidingWindowInfererAdapt':
      return windows(inferer.options, { layout, image })
    case 'SliceInferer': {
      const along = inferer.options.spatial_dim ?? 0
      const own = ['NCYZ', 'NCXZ', 'NCXY'][Number(along)]
      if (own === undefined) return { ...simple, todo: [`the inferer ${worded(inferer)} has no run here`] }
      return windows(inferer.options, { layout: own, image })
    }
    default:
      return {
        ...simple,
        todo: [`the inferer ${worded(inferer)} has no run here: see docs/pipelines.md for those that there are`],
      }
  }
}

function windows(options: ConfigMap, { layout, image }: { layout: string; image: TensorInfo }): MappedInferer {
  const { roi_size, sw_batch_size = 1, overlap = 0.25, mode = 'constant', sigma_scale = 0.125, cval = 0 } = options
  const { padding_mode: padding = 'constant' } = options
  const notes: string[] = []
  const todo: string[] = []
  const spatial = layout.replace(/[NTC]/g, '').length
  const given = numbersOf(roi_size)
  const roi = given?.length === 1 ? Array.from({ length: spatial }, () => given[0] as number) : given
  const fixed = fixedOnGrid(image, layout)
  let size = roi && roi.length === spatial ? inGridOrder(layout, roi, 1) : null
  if (fixed && size && fixed.join() !== size.join()) {
    notes.push(
      `The bundle's window is ${size.join(' x ')} voxels, the ONNX file takes ${fixed.join(' x ')} only: that is used.`,
    )
    size = fixed
  }
  if (!size || size.some((length) => !Number.isInteger(length) || length < 1)) {
    size = fixed ?? [96, 96, spatial === 3 ? 96 : 1]
    todo.push(
      `roi_size ${JSON.stringify(roi_size)} of the inferer could not be read: set infer.0.run.size, then take this line and the step TODO out`,
    )
  }
  if (padding !== 'constant')
    notes.push(`The bundle pads windows with ${String(padding)}; here what lies outside is ${Number(cval)}.`)
  const parts = numbersOf(overlap)
  const batch = typeof image.dims?.[0] === 'number' ? 1 : Math.min(64, Math.max(1, Number(sw_batch_size) || 1))
  return {
    run: {
      kind: 'sliding-window',
      size,
      overlap: Math.min(0.95, Math.max(0, ...(parts ?? [0.25]))),
      blend: mode === 'gaussian' ? 'gaussian' : 'constant',
      ...(mode === 'gaussian' && typeof sigma_scale === 'number' && sigma_scale !== 0.125 && { sigma: sigma_scale }),
      ...(batch > 1 && { batch }),
      ...(typeof cval === 'number' && cval !== 0 && { outside: cval }),
    },
    layout,
    notes,
    todo,
  }
}
