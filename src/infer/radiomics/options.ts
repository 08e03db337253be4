import * as z from 'zod'
import { catalogue, type Family } from './catalogue.ts'
import { type ConfigurationName, configurations } from './configurations.ts'
import type { RadiomicsOptions } from './radiomics.ts'
import { waveletFamilies } from './wavelet.ts'

const positive = z.number().positive()
const dimensions = z.exactOptional(z.literal([2, 3]))
const boundary = z.exactOptional(z.enum(['zero', 'nearest', 'periodic', 'mirror']))
const pooling = z.exactOptional(z.enum(['max', 'mean', 'min']))

const discretisation = z.union([
  z.literal('none'),
  z.strictObject({ bins: z.int().min(1).max(2048) }),
  z.strictObject({ width: positive }),
])

const filter = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mean'),
    support: z
      .int()
      .min(1)
      .max(101)
      .refine((voxels) => voxels % 2 === 1, 'an odd number is expected'),
    dimensions,
    boundary,
  }),
  z.strictObject({
    kind: z.literal('laplacian-of-gaussian'),
    sigma: positive,
    cutoff: z.exactOptional(positive),
    dimensions,
    boundary,
  }),
  z.strictObject({
    kind: z.literal('laws'),
    kernels: z.string().regex(/^([LES][35]|[WR]5){2,3}$/i, 'two or three of L3 L5 E3 E5 S3 S5 W5 R5 are expected'),
    rotationInvariance: pooling,
    energyDistance: z.exactOptional(z.int().min(1).max(50)),
    boundary,
  }),
  z.strictObject({
    kind: z.literal('gabor'),
    sigma: positive,
    wavelength: positive,
    gamma: positive,
    theta: z.exactOptional(z.number()),
    thetaStep: z.exactOptional(positive.max(360)),
    planes: z.exactOptional(z.enum(['slices', 'orthogonal'])),
    boundary,
  }),
  z.strictObject({
    kind: z.literal('wavelet'),
    family: z.enum(waveletFamilies),
    bands: z.string().regex(/^[LH]{2,3}$/i, 'two or three of L and H are expected'),
    level: z.exactOptional(z.int().min(1).max(6)),
    rotationInvariance: pooling,
    boundary,
  }),
])

const describe = <Schema extends z.ZodType>(description: string, schema: Schema): Schema => schema.meta({ description })

/** How features are computed, as it stands in a pipeline's manifest. Every option may be left out. */
export const radiomicsOptions = z.strictObject({
  configuration: describe(
    'takes what is not given here from a configuration of IBSI-1',
    z.exactOptional(z.enum(Object.keys(configurations) as [ConfigurationName, ...ConfigurationName[]])),
  ),
  families: describe(
    'which families of features; without it all',
    z.exactOptional(z.array(z.enum(Object.keys(catalogue) as [Family, ...Family[]])).min(1)),
  ),
  resampling: describe(
    'a new grid for image and mask; without it the image is taken as it is',
    z.exactOptional(
      z.strictObject({
        /** mm along columns, rows and slices; null leaves an axis as it is. */
        spacing: z.tuple([positive.nullable(), positive.nullable(), positive.nullable()]),
        method: z.enum(['nearest', 'linear', 'cubic']),
        maskMethod: z.exactOptional(z.enum(['nearest', 'linear'])),
        maskThreshold: z.exactOptional(positive.max(1)),
        round: z.exactOptional(z.boolean()),
      }),
    ),
  ),
  resegmentation: describe(
    'which intensities of the region count: a range, outliers beyond that many standard deviations, or what both leave',
    z.exactOptional(
      z
        .strictObject({
          lower: z.exactOptional(z.number()),
          upper: z.exactOptional(z.number()),
          outliers: z.exactOptional(positive),
        })
        .refine(({ lower = -Infinity, upper = Infinity }) => lower < upper, 'lower must be below upper'),
    ),
  ),
  discretisation: describe(
    'grey levels for histogram and texture: a number of bins, bins of a width, or none; without it 32 bins',
    z.exactOptional(discretisation),
  ),
  volumeHistogram: describe(
    'the same for the intensity-volume histogram; without it whole numbers are taken as they are, others in 1000 bins',
    z.exactOptional(z.union([z.literal('auto'), discretisation])),
  ),
  aggregation: describe(
    'how texture of several directions and slices becomes one value; without it 3D-merged',
    z.exactOptional(
      z
        .array(
          z.enum([
            '2D-averaged',
            '2D-slice-merged',
            '2.5D-direction-merged',
            '2.5D-merged',
            '3D-averaged',
            '3D-merged',
          ]),
        )
        .min(1),
    ),
  ),
  distance: describe(
    'distance of neighbours for co-occurrence, tone difference and dependence, voxels; without it 1',
    z.exactOptional(z.int().min(1).max(20)),
  ),
  coarseness: describe(
    'largest difference of grey levels that still counts as dependent; without it 0',
    z.exactOptional(z.int().min(0)),
  ),
  filters: describe(
    'filters of IBSI-2: features are computed of the response to each of them as well',
    z.exactOptional(z.array(filter)),
  ),
  unfiltered: describe('false leaves out the features of the image itself', z.exactOptional(z.boolean())),
  intensityUnit: describe(
    "UCUM unit of the intensities, [hnsf'U] for CT; without it 1",
    z.exactOptional(z.string().min(1)),
  ),
  autocorrelationLimit: describe(
    "points of the Fourier transform for Moran's I and Geary's C; larger regions go without; without it 16777216",
    z.exactOptional(
      z
        .int()
        .min(0)
        .max(2 ** 27),
    ),
  ),
})

/** The schema gives what `radiomics` takes. */
radiomicsOptions satisfies z.ZodType<RadiomicsOptions>
