import * as z from 'zod'

/** What the steps' options have in common. */

/** Over which numbers a statistic is taken: all of the image, each channel on its own, or each slice (frame) of each channel. */
export const over = z.enum(['image', 'channel', 'slice']).default('channel')
export type Over = z.infer<typeof over>

/** Least and greatest. */
export const interval = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, 'the first must be below the second')

/** The numbers that a step's result lies between. */
export const outputRange = interval.default([0, 1])

/** Two percentiles, 0 to 100. */
export const percentilePair = z
  .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
  .refine(([low, high]) => low < high, 'the first must be below the second')

/** 2: slice by slice; 3: through the slices. Left out: 3 where there is more than one slice. */
export const dimensions = z.union([z.literal(2), z.literal(3)]).optional()

/** What lengths are given in. */
export const unit = z.enum(['voxels', 'mm']).default('voxels')

/** Columns, rows and slices; two numbers leave the slices alone. */
export const size = z.array(z.int().positive().max(4096)).min(2).max(3)

export const interpolation = z.enum(['nearest', 'linear', 'cubic']).default('linear')

/** What lies beyond the image: a number, its least value, or the value at its edge. */
export const outside = z.union([z.number(), z.enum(['minimum', 'edge'])])
export type Outside = z.infer<typeof outside>

/** mm on either side. */
export const margin = z.number().min(0).max(500).default(0)

/** One number for every channel, or one for each. */
export const perChannel = z.union([z.number(), z.array(z.number()).min(1)])
