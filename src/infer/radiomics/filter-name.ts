import type { Filter } from './filter.ts'

/** What a filter is called in features of its response. */
export interface FilterName {
  /** In words, with what was asked for: `Laplacian of Gaussian, sigma 1.5 mm, in space`. */
  name: string
  /** IBSI's identifier of the kind of filter. */
  code: string
  /** The beginning of the features' tags; filters that differ have tags that differ. */
  tag: string
}

/** The name of a filter. */
export function filterName(filter: Filter): FilterName {
  const boundary = filter.boundary ?? 'mirror'
  const { words, parts, code } = described(filter)
  const beyond = boundary === 'mirror' ? [] : [boundary]
  return {
    code,
    name: [...words, ...beyond.map((kind) => `${kind} beyond the border`)].join(', '),
    tag: [...parts, ...beyond].filter((part) => part !== '').join('_'),
  }
}

interface Described {
  code: string
  words: string[]
  parts: (string | number)[]
}

function described(filter: Filter): Described {
  switch (filter.kind) {
    case 'mean': {
      const { support, dimensions = 3 } = filter
      return {
        code: 'S60F',
        words: ['mean', `${support} voxels`, where(dimensions)],
        parts: ['mean', support, `${dimensions}D`],
      }
    }
    case 'laplacian-of-gaussian': {
      const { sigma, cutoff = 4, dimensions = 3 } = filter
      const end = cutoff === 4 ? [] : [`cut off at ${cutoff} sigma`]
      return {
        code: 'L6PA',
        words: ['Laplacian of Gaussian', `sigma ${sigma} mm`, ...end, where(dimensions)],
        parts: ['log', sigma, cutoff === 4 ? '' : `cut${cutoff}`, `${dimensions}D`],
      }
    }
    case 'laws': {
      const { kernels, rotationInvariance, energyDistance } = filter
      const energy = energyDistance === undefined ? [] : [`energy within ${energyDistance} voxels`]
      return {
        code: 'JTXT',
        words: ['Laws', kernels.toUpperCase(), ...pooled(rotationInvariance), ...energy],
        parts: [
          'laws',
          kernels.toUpperCase(),
          rotationInvariance ?? '',
          energyDistance === undefined ? '' : `energy${energyDistance}`,
        ],
      }
    }
    case 'gabor': {
      const { sigma, wavelength, gamma, theta = 0, thetaStep, planes = 'slices' } = filter
      const angle =
        thetaStep === undefined ? `at ${theta} degrees` : `averaged from ${theta} degrees in steps of ${thetaStep}`
      return {
        code: 'Q88H',
        words: [
          'Gabor',
          `sigma ${sigma} mm`,
          `wavelength ${wavelength} mm`,
          `gamma ${gamma}`,
          angle,
          planes === 'slices' ? 'in slices' : 'in three orthogonal planes',
        ],
        parts: [
          'gabor',
          sigma,
          wavelength,
          gamma,
          theta,
          thetaStep === undefined ? '' : `step${thetaStep}`,
          planes === 'slices' ? '2D' : '3D',
        ],
      }
    }
    case 'wavelet': {
      const { family, bands, level = 1, rotationInvariance } = filter
      return {
        code: '25BO',
        words: ['wavelet', family, bands.toUpperCase(), `level ${level}`, ...pooled(rotationInvariance)],
        parts: ['wavelet', family, bands.toUpperCase(), level, rotationInvariance ?? ''],
      }
    }
  }
}

function where(dimensions: 2 | 3): string {
  return dimensions === 2 ? 'in slices' : 'in space'
}

function pooled(rotationInvariance: 'max' | 'mean' | 'min' | undefined): string[] {
  return rotationInvariance === undefined ? [] : [`${rotationInvariance} of all rotations by right angles`]
}
