import * as z from 'zod'
import { ImportError } from './error.ts'
import { type ConfigMap, isMap } from './monai-config.ts'

const configurationSchema = z.looseObject({
  /** In the order of the transposed array. */
  spacing: z.array(z.number().positive()).min(2).max(3),
  patch_size: z.array(z.int().positive()).min(2).max(3),
  normalization_schemes: z.array(z.string()).min(1),
  use_mask_for_norm: z.array(z.boolean()).min(1),
  previous_stage: z.string().nullish(),
})

const intensitySchema = z.looseObject({
  mean: z.number(),
  std: z.number(),
  percentile_00_5: z.number(),
  percentile_99_5: z.number(),
})
export type Intensity = z.infer<typeof intensitySchema>

/** One configuration of plans.json. */
export interface Configuration {
  dimensions: 2 | 3
  /** mm, in the order of the transposed array: z, y, x where nothing is transposed; without the first in 2D. */
  spacing: number[]
  /** Voxels, in the same order. */
  patch: number[]
  /** One for each channel. */
  schemes: string[]
  usesMask: boolean[]
  /** Statistics of the foreground of each channel in training. */
  intensities: (Intensity | null)[]
  /** Which axis of the array (z, y, x) comes first, second, third. */
  transpose: number[]
}

export function configurationNames(plans: ConfigMap): string[] {
  return isMap(plans.configurations) ? Object.keys(plans.configurations) : []
}

/** Reads a configuration, with what it inherits. @throws {ImportError} `not-importable` */
export function readConfiguration(plans: ConfigMap, name: string): Configuration {
  const merged = inherited(plans, name)
  const parsed = configurationSchema.safeParse(merged)
  if (!parsed.success)
    throw new ImportError('not-importable', `plans.json: configurations.${name}: ${z.prettifyError(parsed.error)}`)
  const {
    spacing,
    patch_size: patch,
    normalization_schemes: schemes,
    use_mask_for_norm: usesMask,
    previous_stage,
  } = parsed.data
  if (previous_stage)
    throw new ImportError(
      'not-importable',
      `plans.json: ${name} needs the result of ${previous_stage} as further channels: a cascade is not imported, write it by hand (docs/pipelines.md)`,
    )
  if (spacing.length !== patch.length)
    throw new ImportError(
      'not-importable',
      `plans.json: ${name}: ${spacing.length} spacings, ${patch.length} sizes of the patch`,
    )
  const transpose = z.array(z.int().min(0).max(2)).length(3).safeParse(plans.transpose_forward)
  if (!transpose.success || new Set(transpose.data).size < 3)
    throw new ImportError('not-importable', 'plans.json: transpose_forward: an order of 0, 1 and 2 is expected')
  const properties = isMap(plans.foreground_intensity_properties_per_channel)
    ? plans.foreground_intensity_properties_per_channel
    : {}
  return {
    dimensions: spacing.length as 2 | 3,
    spacing,
    patch,
    schemes,
    usesMask,
    intensities: schemes.map((_, channel) => intensitySchema.safeParse(properties[String(channel)]).data ?? null),
    transpose: transpose.data,
  }
}

function inherited(plans: ConfigMap, name: string, depth = 0): ConfigMap {
  const own = isMap(plans.configurations) ? plans.configurations[name] : undefined
  if (!isMap(own) || depth > 8)
    throw new ImportError('not-importable', `plans.json: no configuration is called ${name}`)
  const parent = own.inherits_from
  return typeof parent === 'string' ? { ...inherited(plans, parent, depth + 1), ...own } : own
}

/** What dataset.json says. */
export interface Dataset {
  name: string
  channels: string[]
  /** Without background and the label that is ignored; of regions in the order of the model's channels. */
  labels: { name: string; value: number }[]
  /** For models of regions: the label that each becomes. */
  regions: number[] | null
}

/**
 * @param otherwise the name where the file has none
 * @throws {ImportError} `not-importable`
 */
export function readDataset(dataset: ConfigMap, { file, otherwise }: { file: string; otherwise: string }): Dataset {
  const parsed = z
    .looseObject({
      name: z.string().optional(),
      channel_names: z.record(z.string(), z.string()),
      labels: z.record(z.string(), z.union([z.int().min(0), z.array(z.int().min(0)).min(1)])),
      regions_class_order: z.array(z.int().min(1)).optional(),
    })
    .safeParse(dataset)
  if (!parsed.success) throw new ImportError('not-importable', `${file}: ${z.prettifyError(parsed.error)}`)
  const { name = otherwise, channel_names, labels, regions_class_order: order } = parsed.data
  const named = Object.entries(labels).filter(([label]) => label !== 'ignore')
  const isRegions = named.some(([, value]) => Array.isArray(value))
  const foreground = named.filter(([, value]) => [value].flat().some((one) => one !== 0))
  if (isRegions && order?.length !== foreground.length)
    throw new ImportError(
      'not-importable',
      `${file}: regions_class_order: ${foreground.length} labels are expected, one for each region`,
    )
  return {
    name,
    channels: Object.entries(channel_names)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, channel]) => channel),
    labels: isRegions
      ? foreground.map(([label], index) => ({ name: label, value: order?.[index] as number }))
      : foreground.map(([label, value]) => ({ name: label, value: value as number })).sort((a, b) => a.value - b.value),
    regions: isRegions ? (order as number[]) : null,
  }
}
