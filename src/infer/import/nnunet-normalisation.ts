import { ImportError } from './error.ts'
import type { Configuration, Intensity } from './nnunet-plans.ts'
import { type PlanChain, type PlanStep, todoStep } from './plan.ts'

/**
 * What nnU-Net does to images: they are cropped to what is not 0, each channel is normalised, then all are resampled.
 * @param series names of the channels' inputs
 * @param before steps on all channels before the crop
 * @param after steps on all channels at the end
 * @returns chains of which the last is `prepared`
 */
export function planNormalisation(
  configuration: Configuration,
  { series, before, after }: { series: readonly string[]; before: readonly PlanStep[]; after: readonly PlanStep[] },
): Record<string, PlanChain> {
  const [only, ...others] = series as [string, ...string[]]
  const crop: PlanStep = { step: 'crop-nonzero', options: { empty: 'keep' } }
  const schemes = series.map((_, channel) => normalisation(configuration, channel))
  if (others.length === 0)
    return { prepared: { from: only, steps: [...before, crop, ...(schemes[0] as PlanStep[]), ...after] } }
  // A step on one channel needs the channel alone; those that know channels do them together.
  const [first = []] = schemes
  const isSame = schemes.every((steps) => JSON.stringify(steps) === JSON.stringify(first))
  if (isSame && configuration.schemes[0] !== 'CTNormalization')
    return { prepared: { from: series, steps: [...before, crop, ...first, ...after] } }
  const names = series.map((name) => `${name.slice(0, 52)}-normalised`)
  return {
    cropped: { from: series, steps: [...before, crop] },
    ...Object.fromEntries(
      names.map((name, channel) => [
        name,
        {
          from: 'cropped',
          steps: [{ step: 'select-channels', options: { channels: [channel] } }, ...(schemes[channel] as PlanStep[])],
        },
      ]),
    ),
    prepared: { from: names, align: 'same-grid', steps: after },
  }
}

function normalisation({ schemes, usesMask, intensities }: Configuration, channel: number): PlanStep[] {
  const scheme = schemes[channel]
  switch (scheme) {
    case 'CTNormalization':
      return ct(intensities[channel], channel)
    case 'ZScoreNormalization':
      return [{ step: 'z-score', options: usesMask[channel] === true ? { of: 'non-zero' } : { elsewhere: 'scaled' } }]
    case 'NoNormalization':
      return []
    case 'RescaleTo01Normalization':
      return [{ step: 'scale-range', options: { over: 'channel' } }]
    case 'RGBTo01Normalization':
      return [{ step: 'scale', options: { factor: 1 / 255 } }]
    default:
      return [todoStep(`the normalisation ${scheme ?? 'nothing'} of channel ${channel}`)]
  }
}

/** Clips to percentiles of the foreground in training, then its mean and deviation. */
function ct(intensity: Intensity | null | undefined, channel: number): PlanStep[] {
  if (!intensity)
    throw new ImportError(
      'not-importable',
      `plans.json: foreground_intensity_properties_per_channel.${channel}: mean, std, percentile_00_5 and percentile_99_5 are expected for CTNormalization`,
    )
  const { mean, std, percentile_00_5: minimum, percentile_99_5: maximum } = intensity
  return [
    { step: 'clip', options: { minimum, maximum } },
    { step: 'normalise', options: { mean, std: Math.max(std, 1e-8) } },
  ]
}
