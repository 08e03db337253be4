import { absoluteChange, doublingTime, growthPerYear, relativeChange } from './change.ts'
import { boxCount, boxScore, boxSize, componentCount, number, probability } from './counts.ts'
import { feret, longAxis, shortAxis } from './diameters.ts'
import {
  entropy,
  fractionAbove,
  fractionBelow,
  mass,
  maximum,
  mean,
  median,
  minimum,
  percentile,
  standardDeviation,
  totalLesionGlycolysis,
} from './intensity.ts'
import type { Quantity } from './quantity.ts'
import { area, areaPerSlice, centroid, extent, sphericity, surfaceArea, volume } from './size.ts'
import { suvMax, suvPeak } from './uptake.ts'

/** Everything that can be measured, by its name in a manifest. */
export const quantities: Readonly<Record<string, Quantity>> = {
  volume,
  area,
  'area-per-slice': areaPerSlice,
  'long-axis': longAxis,
  'short-axis': shortAxis,
  feret,
  'surface-area': surfaceArea,
  sphericity,
  centroid,
  extent,
  'component-count': componentCount,
  mean,
  'standard-deviation': standardDeviation,
  minimum,
  maximum,
  median,
  percentile,
  entropy,
  'fraction-below': fractionBelow,
  'fraction-above': fractionAbove,
  mass,
  'total-lesion-glycolysis': totalLesionGlycolysis,
  'suv-max': suvMax,
  'suv-peak': suvPeak,
  'box-size': boxSize,
  'box-score': boxScore,
  'box-count': boxCount,
  number,
  probability,
  'absolute-change': absoluteChange,
  'relative-change': relativeChange,
  'doubling-time': doublingTime,
  'growth-per-year': growthPerYear,
}
