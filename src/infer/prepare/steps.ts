import type { PrepareStep } from '../step.ts'
import { channelSteps } from './channel-steps.ts'
import { contrastSteps } from './contrast-steps.ts'
import { cropSteps } from './crop-steps.ts'
import { gridSteps } from './grid-steps.ts'
import { headerSteps } from './header-steps.ts'
import { intensitySteps } from './intensity-steps.ts'
import { noiseSteps } from './noise-steps.ts'

/**
 * The steps of preprocessing, by the names that a manifest gives them. A step may return the image that it was given, or one that shares its
 * memory, where nothing changes.
 */
export const prepareSteps: Readonly<Record<string, PrepareStep>> = {
  ...headerSteps,
  ...intensitySteps,
  ...contrastSteps,
  ...noiseSteps,
  ...gridSteps,
  ...cropSteps,
  ...channelSteps,
}
