import * as z from 'zod'
import { refusal } from '../error.ts'
import { voxelsOf } from '../image.ts'
import { prepareStep } from '../step.ts'
import { sameType } from './gather.ts'

/** Steps on channels. Several images become channels of one by a list in `from`. */

const repeatChannel = prepareStep({
  summary: 'Repeats the only channel: grey images for models that take three colours.',
  options: z.strictObject({ times: z.int().min(2).max(16).default(3) }),
  apply(image, { times }) {
    if (image.channels !== 1) throw refusal(`the image has ${image.channels} channels, 1 is expected`)
    const { length } = image.data
    const data = sameType(image.data, times * length)
    for (let channel = 0; channel < times; channel++) data.set(image.data, channel * length)
    return { ...image, channels: times, data }
  },
})

/** Parts of red, green and blue in the luminance. */
const luminances = {
  /** ITU-R BT.601, as Pillow and OpenCV. */
  bt601: [0.299, 0.587, 0.114],
  bt709: [0.2126, 0.7152, 0.0722],
  mean: [1 / 3, 1 / 3, 1 / 3],
} as const

const grey = prepareStep({
  summary: 'Turns three channels of colour into one of grey.',
  options: z.strictObject({ weights: z.enum(['bt601', 'bt709', 'mean']).default('bt601') }),
  apply(image, { weights }) {
    if (image.channels !== 3) throw refusal(`the image has ${image.channels} channels, 3 are expected`)
    const voxels = voxelsOf(image.grid)
    const [r, g, b] = luminances[weights]
    const data = new Float32Array(voxels)
    for (let i = 0; i < voxels; i++)
      data[i] =
        r * (image.data[i] as number) +
        g * (image.data[i + voxels] as number) +
        b * (image.data[i + 2 * voxels] as number)
    return { ...image, channels: 1, data }
  },
})

const selectChannels = prepareStep({
  summary: 'Takes some of the channels, in a given order.',
  options: z.strictObject({
    /** From 0. */
    channels: z.array(z.int().min(0)).min(1).max(4096),
  }),
  apply(image, { channels }) {
    const worst = Math.max(...channels)
    if (worst >= image.channels) throw refusal(`channel ${worst} is wanted, the image has ${image.channels}, from 0`)
    const voxels = voxelsOf(image.grid)
    const data = sameType(image.data, channels.length * voxels)
    for (const [to, from] of channels.entries())
      data.set(image.data.subarray(from * voxels, (from + 1) * voxels), to * voxels)
    return { ...image, channels: channels.length, data }
  },
})

export const channelSteps = { 'repeat-channel': repeatChannel, grey, 'select-channels': selectChannels }
