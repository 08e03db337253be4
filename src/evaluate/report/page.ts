import type { Evaluation } from '../evaluation.ts'
import type { WorstCase } from '../worst-cases.ts'
import { agreementFigure, calibrationFigure, diceFigure, frocFigure, rocFigure } from './figures.ts'
import { Html, html, measured, shown } from './html.ts'
import { encodeGreyPng } from './png.ts'
import { style } from './style.ts'
import { caseTable, classTable, confusionTables, detectionTable, numberTable, segmentTable } from './tables.ts'

/** The report as one HTML file: no scripts, nothing fetched, every text escaped. */
export function reportPage(evaluation: Evaluation, worst: readonly WorstCase[]): string {
  const { pipeline, at } = evaluation
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Evaluation of ${pipeline.title}</title><style>${new Html(style)}</style></head>
<body><main>
<h1>Evaluation of ${pipeline.title}</h1>
<p class="identity">${pipeline.name} ${pipeline.version} · ${pipeline.digest} · ${at.slice(0, 16).replace('T', ' ')} UTC</p>
${caution(evaluation)}
${tiles(evaluation)}
${segmentSection(evaluation)}
${classSection(evaluation)}
${detectionSection(evaluation)}
${numberSection(evaluation)}
${worstSection(worst)}
<h2>Cases</h2>
${caseTable(evaluation)}
${notes(evaluation)}
${method(evaluation)}
</main></body></html>
`
  return page.text
}

function caution({ pipeline, cases }: Evaluation): Html {
  const compared = cases.filter(({ outcome }) => outcome === 'compared').length
  return html`<div class="caution">
${pipeline.demonstrator ? html`<p><b>Demonstrator: not for clinical use.</b> The pipeline shows how something is done.</p>` : null}
<p><b>Not a clinical validation.</b> These figures describe ${compared} ${compared === 1 ? 'case' : 'cases'} and the references that were given with them, and nothing else.</p>
<p>${pipeline.intendedUse} ${pipeline.limits}</p></div>`
}

function tiles(evaluation: Evaluation): Html {
  const { cases, segments, classes, detection, numbers } = evaluation
  const count = (outcome: string): number => cases.filter((one) => one.outcome === outcome).length
  const dices = cases.flatMap((one) => one.segments.flatMap(({ dice }) => dice ?? []))
  const headline: [string, string][] = [
    ...(dices.length > 0
      ? [
          [
            shown(dices.reduce((sum, dice) => sum + dice, 0) / dices.length),
            `mean Dice, ${segments.length === 1 ? segments[0]?.label : `${segments.length} segments`}`,
          ] as [string, string],
        ]
      : []),
    ...classes.slice(0, 3).map(({ roc, label }): [string, string] => [shown(roc?.auc), `AUC, ${label}`]),
    ...(detection ? [[shown(detection.meanSensitivity), 'mean FROC sensitivity'] as [string, string]] : []),
    ...(segments.length + classes.length === 0
      ? numbers
          .slice(0, 3)
          .map(({ name, unit, agreement }): [string, string] => [
            measured(agreement?.meanAbsoluteError),
            `mean absolute error, ${name}, ${unit}`,
          ])
      : []),
  ]
  const outcomes: [string, string][] = [
    [`${count('compared')} of ${cases.length}`, 'cases compared'],
    ...(['no-reference', 'refused', 'failed'] as const)
      .filter((outcome) => count(outcome) > 0)
      .map((outcome): [string, string] => [
        String(count(outcome)),
        outcome === 'no-reference' ? 'without reference' : outcome,
      ]),
  ]
  return html`<div class="tiles">${[...outcomes, ...headline].map(([value, words]) => html`<div class="tile"><b>${value}</b><span>${words}</span></div>`)}</div>`
}

function segmentSection(evaluation: Evaluation): Html | null {
  if (evaluation.segments.length === 0) return null
  return html`<h2>Segmentation</h2>${segmentTable(evaluation)}<div class="below">${diceFigure(evaluation)}</div>`
}

function classSection(evaluation: Evaluation): Html | null {
  const { classes } = evaluation
  if (classes.length === 0) return null
  const figures = classes.flatMap((one) => [rocFigure(one), calibrationFigure(one)])
  return html`<h2>Classification</h2>${classTable(evaluation)}<div class="figures pairs">${figures}</div>
<h2>Confusion matrix</h2>${confusionTables(evaluation)}`
}

function detectionSection(evaluation: Evaluation): Html | null {
  const { detection } = evaluation
  if (!detection) return null
  return html`<h2>Detection</h2>${detectionTable(evaluation)}<div class="figures">${frocFigure(detection)}</div>`
}

function numberSection(evaluation: Evaluation): Html | null {
  const { numbers } = evaluation
  if (numbers.length === 0) return null
  return html`<h2>Measurements</h2>${numberTable(evaluation)}<div class="figures">${numbers.map((one) => agreementFigure(one, evaluation))}</div>`
}

function worstSection(worst: readonly WorstCase[]): Html | null {
  if (worst.length === 0) return null
  return html`<h2>Worst cases</h2>
<p class="quiet">The image of each where result and reference differ most.<span class="key"></span>result<span class="key reference"></span>reference</p>
<div class="figures">${worst.map(picture)}</div>`
}

function picture({ result, sketch, grey }: WorstCase): Html {
  const [left, top, width, height] = sketch.crop
  // Pixels that are not square are shown in their true proportion.
  const tall = sketch.spacing[1] / sketch.spacing[0]
  const data = encodeGreyPng(grey, width, height).toString('base64')
  const lowest = result.segments.flatMap(({ dice }) => dice ?? [])
  const words = [
    ...(lowest.length > 0 ? [`mean Dice ${shown(lowest.reduce((a, b) => a + b, 0) / lowest.length)}`] : []),
    ...result.classes
      .filter(({ found, truth }) => found !== truth)
      .map(({ class: id, score }) => `${id} ${shown(score)}, wrong`),
    `image ${sketch.slice + 1} of ${sketch.slices}`,
  ]
  return html`<figure><svg class="picture" viewBox="${left} ${top * tall} ${width} ${height * tall}" role="img" aria-label="Case ${result.name}"><g transform="scale(1 ${tall})"><image href="data:image/png;base64,${data}" x="${left}" y="${top}" width="${width}" height="${height}" preserveAspectRatio="none"/><path class="reference" d="${sketch.reference}"/><path class="result" d="${sketch.result}"/></g></svg><figcaption><b>${result.name}</b>: ${words.join(', ')}</figcaption></figure>`
}

function notes({ notes: sentences }: Evaluation): Html | null {
  if (sentences.length === 0) return null
  return html`<h2>Passed over</h2><ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`
}

function method({ settings, segments, classes, detection, numbers }: Evaluation): Html {
  const { draws, seed } = settings.bootstrap
  const entry = (term: string, words: string): Html => html`<dt>${term}</dt><dd>${words}</dd>`
  return html`<h2>How it was computed</h2><dl>
${entry('Cases', 'Cases that the pipeline refused, that failed, or that have no reference are in no figure but the counts.')}
${
  segments.length > 0
    ? html`${entry('Dice, IoU', 'On the grid of the images; a reference on another grid was resampled onto it. Not defined where both are empty; 0 where one is.')}
${entry('Hausdorff 95', 'The greater of the two 95th percentiles of distances between the surfaces (voxels of a mask with a neighbour outside, by a side), exact on anisotropic grids. Not defined where one is empty.')}
${entry('Surface Dice', `Part of the voxels of both surfaces within ${settings.tolerance} mm of the other surface; 0 where one is empty.`)}
${entry('Volume error', 'Result minus reference; percent of the reference.')}
${entry('Intervals of means', `95 %, percentiles of ${draws} draws of cases, seed ${seed}.`)}`
    : null
}
${
  classes.length > 0
    ? html`${entry('Proportions', '95 % intervals of Wilson. Precision depends on how many of the cases are positive.')}
${entry('AUC, F1', `95 %, percentiles of ${draws} draws, seed ${seed}: for the AUC of positive and of negative cases each among themselves, for F1 of all.`)}
${entry('Calibration', 'Ten bins of equal width; ECE is the mean difference of probability and frequency by cases of the bins.')}`
    : null
}
${detection ? entry('FROC', `A box hits where its intersection over union with the reference reaches ${settings.overlap}, a point where it lies within. A lesion counts once; further hits of it are neither right nor wrong. Findings that the pipeline does not report are not there: beyond its end the curve is level.`) : null}
${numbers.length > 0 ? entry('Agreement', 'Differences are result minus reference; limits of agreement are bias ± 1.96 standard deviations.') : null}
</dl>`
}
