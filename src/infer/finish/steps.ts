import type { FinishStep } from '../step.ts'
import { sigmoid, softmax } from './activations.ts'
import { boxesToLabels, componentsToBoxes } from './boxes-and-labels.ts'
import { platt, regression, temperature } from './calibration.ts'
import { argmax, select, threshold } from './classes.ts'
import { components, largestComponent } from './components-step.ts'
import { decodeBoxes } from './decode-boxes.ts'
import { fillHoles } from './fill-holes.ts'
import { keypointsFromCoordinates, keypointsFromHeatmaps } from './keypoints.ts'
import { lungs } from './lungs/step.ts'
import { keepInside, removeInside, removeOutside } from './masking.ts'
import { close, dilate, erode, open } from './morphology.ts'
import { mergeLabels, relabel } from './relabel.ts'
import { smooth } from './smooth.ts'
import { nonMaximumSuppression } from './suppression.ts'

/** Every step of post-processing, by its name in a manifest. */
export const finishSteps: Readonly<Record<string, FinishStep>> = {
  sigmoid,
  softmax,
  temperature,
  platt,
  regression,
  select,
  argmax,
  threshold,
  'largest-component': largestComponent,
  components,
  open,
  close,
  dilate,
  erode,
  'fill-holes': fillHoles,
  'keep-inside': keepInside,
  'remove-inside': removeInside,
  'remove-outside': removeOutside,
  relabel,
  'merge-labels': mergeLabels,
  smooth,
  'decode-boxes': decodeBoxes,
  'non-maximum-suppression': nonMaximumSuppression,
  'components-to-boxes': componentsToBoxes,
  'boxes-to-labels': boxesToLabels,
  'keypoints-from-heatmaps': keypointsFromHeatmaps,
  'keypoints-from-coordinates': keypointsFromCoordinates,
  lungs,
}
