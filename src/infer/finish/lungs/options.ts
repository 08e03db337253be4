import * as z from 'zod'

/** What the step `lungs` can be told. */
export const lungsOptions = z.strictObject({
  /** Name of the image of densities, HU, on the grid of the candidates. */
  density: z.string().min(1),
  /** Litres of both lungs together; less is no chest. */
  minimumVolume: z.number().positive().default(0.5),
  /** Mean HU of a lung. */
  meanDensity: z
    .strictObject({ minimum: z.number(), maximum: z.number() })
    .refine(({ minimum, maximum }) => minimum < maximum, 'minimum is not below maximum')
    .default({ minimum: -960, maximum: -500 }),
  /** Radius of the closing in the slice, mm. */
  closingRadius: z.number().positive().max(30).default(6),
  /** Part of the largest lung area in a slice that the first or the last slice may show: more means that the lungs are cut off. */
  largestEndArea: z.number().positive().max(1).default(0.25),
})

export type LungsParameters = Omit<z.output<typeof lungsOptions>, 'density'>
