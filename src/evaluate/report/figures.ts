import type { ClassEvaluation, Evaluation, NumberEvaluation } from '../evaluation.ts'
import { quantile } from '../metrics/distribution.ts'
import type { Froc } from '../metrics/froc.ts'
import { type Html, html, measured, shown } from './html.ts'
import { axisAround, plot, unitAxis } from './plot.ts'

function figure(picture: Html, caption: string): Html {
  return html`<figure>${picture}<figcaption>${caption}</figcaption></figure>`
}

/** Sensitivity over the false positive rate; null where there are only positives or only negatives. */
export function rocFigure({ roc, label, decisions }: ClassEvaluation): Html | null {
  if (!roc) return null
  const { sensitivity, specificity } = decisions
  const threshold = sensitivity && specificity ? [[1 - specificity.value, sensitivity.value] as const] : []
  const picture = plot(`ROC curve of ${label}`, {
    x: unitAxis('1 − specificity'),
    y: unitAxis('Sensitivity'),
    marks: [
      { kind: 'line', class: 'guide', points: [[0, 0], [1, 1]] }, // biome-ignore format: two points
      { kind: 'line', class: 'curve', points: roc.points.map((p) => [p.falsePositiveRate, p.sensitivity]) },
      { kind: 'points', class: 'marked', radius: 5, points: threshold, titles: ['where the pipeline decides'] },
    ],
  })
  return figure(picture, `ROC: ${label}. AUC ${shown(roc.auc)}. The ring is where the pipeline decides.`)
}

/** Observed frequency over predicted probability. */
export function calibrationFigure({ calibration, label }: ClassEvaluation): Html | null {
  if (!calibration) return null
  const filled = calibration.bins.filter(({ count }) => count > 0)
  const most = Math.max(...filled.map(({ count }) => count))
  const picture = plot(`Calibration of ${label}`, {
    x: unitAxis('Predicted probability'),
    y: unitAxis('Observed frequency'),
    marks: [
      {
        kind: 'bars',
        class: 'counts',
        bars: filled.map(({ from, to, count }) => ({ from, to, height: (0.2 * count) / most })),
      },
      { kind: 'line', class: 'guide', points: [[0, 0], [1, 1]] }, // biome-ignore format: two points
      { kind: 'line', class: 'curve', points: filled.map((bin) => [bin.meanScore ?? 0, bin.observed ?? 0]) },
      {
        kind: 'points',
        class: 'point',
        radius: 4,
        points: filled.map((bin) => [bin.meanScore ?? 0, bin.observed ?? 0]),
        titles: filled.map(({ count }) => `${count} cases`),
      },
    ],
  })
  return figure(
    picture,
    `Calibration: ${label}. ECE ${shown(calibration.expectedError)}, Brier score ${shown(calibration.brier)}. Bars: how the cases are spread.`,
  )
}

/** Sensitivity over false positives a case. */
export function frocFigure({ points, meanSensitivity }: Froc): Html {
  const rates = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
  const curve: [number, number][] = []
  let before = 0
  for (const { falsePositivesPerCase, sensitivity } of points) {
    const at = Math.max(falsePositivesPerCase, rates[0] as number)
    curve.push([at, before], [at, sensitivity])
    before = sensitivity
  }
  curve.push([8, before])
  const picture = plot('FROC curve', {
    x: {
      label: 'False positives per case',
      range: [1 / 8, 8],
      ticks: rates,
      logarithmic: true,
      tickText: (tick) => (tick < 1 ? `1/${1 / tick}` : String(tick)),
    },
    y: unitAxis('Sensitivity'),
    marks: [{ kind: 'line', class: 'curve', points: curve }],
  })
  return figure(picture, `FROC. Mean sensitivity at 1/8 to 8 false positives per case: ${shown(meanSensitivity)}.`)
}

/** Differences over means (Bland and Altman). */
export function agreementFigure({ id, name, unit, agreement }: NumberEvaluation, { cases }: Evaluation): Html | null {
  if (!agreement || agreement.count < 2) return null
  const own = cases.flatMap(({ name: of, numbers }) =>
    numbers.filter(({ measurement }) => measurement === id).map((pair) => ({ of, ...pair })),
  )
  const points = own.map(({ result, reference }) => [(result + reference) / 2, result - reference] as const)
  const [low, high] = agreement.limits ?? [agreement.bias, agreement.bias]
  const picture = plot(`Bland-Altman plot of ${name}`, {
    x: axisAround(
      `Mean of result and reference, ${unit}`,
      points.map(([mean]) => mean),
    ),
    y: axisAround(`Result − reference, ${unit}`, [...points.map(([, difference]) => difference), low, high, 0]),
    marks: [
      { kind: 'level', y: 0, class: 'guide' },
      { kind: 'level', y: agreement.bias, class: 'bias', text: `bias ${measured(agreement.bias)}` },
      { kind: 'level', y: high, class: 'limit', text: `+1.96 SD ${measured(high)}` },
      { kind: 'level', y: low, class: 'limit', text: `−1.96 SD ${measured(low)}` },
      { kind: 'points', class: 'point', points, titles: own.map(({ of }) => of) },
    ],
  })
  return figure(picture, `Bland-Altman: ${name}.`)
}

const row = { height: 34, left: 168, right: 672, top: 8 }

/** The Dice coefficients of each segment: every case a point, with median and quartiles. */
export function diceFigure({ segments, cases }: Evaluation): Html | null {
  if (!segments.some(({ dice }) => dice)) return null
  const across = (value: number): number => Math.round((row.left + value * (row.right - row.left)) * 10) / 10
  const bottom = row.top + segments.length * row.height
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
  const picture = html`<svg class="plot wide" viewBox="0 0 690 ${bottom + 44}" role="img" aria-label="Dice coefficients">
<g class="grid">${ticks.map((tick) => html`<line x1="${across(tick)}" x2="${across(tick)}" y1="${row.top}" y2="${bottom}"/>`)}</g>
<g class="ticks">${ticks.map((tick) => html`<text x="${across(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`)}</g>
<text class="label" x="${(row.left + row.right) / 2}" y="${bottom + 37}" text-anchor="middle">Dice coefficient</text>
${segments.map(({ id, label }, index) => {
  const own = cases.flatMap(({ name, segments: of }) =>
    of.flatMap(({ segment, dice }) => (segment === id && dice !== null ? [{ name, dice }] : [])),
  )
  const sorted = own.map(({ dice }) => dice).sort((a, b) => a - b)
  const middle = row.top + (index + 0.5) * row.height
  const words = label.length > 24 ? `${label.slice(0, 23)}…` : label
  const at = (part: number): number => across(quantile(sorted, part))
  const box =
    sorted.length < 4
      ? null
      : html`<rect class="box" x="${at(0.25)}" width="${Math.max(0.5, at(0.75) - at(0.25))}" y="${middle - 10}" height="20"/><line class="median" x1="${at(0.5)}" x2="${at(0.5)}" y1="${middle - 10}" y2="${middle + 10}"/>`
  return html`<text class="name" x="${row.left - 12}" y="${middle + 4}" text-anchor="end">${words}</text>${box}${own.map(
    ({ name, dice }, n) =>
      // Points beside each other: the same in every report.
      html`<circle class="point" cx="${across(dice)}" cy="${middle + (sorted.length < 4 ? 0 : ((n * 7) % 11) - 5)}" r="3"><title>${name}: ${shown(dice)}</title></circle>`,
  )}`
})}</svg>`
  return figure(picture, 'Dice coefficient of each case; from four cases on with quartiles and median.')
}
