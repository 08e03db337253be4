import type { CaseResult, Evaluation } from '../evaluation.ts'
import type { Proportion } from '../metrics/decisions.ts'
import type { Distribution } from '../metrics/distribution.ts'
import { between, type Html, html, measured, shown } from './html.ts'

interface Table {
  /** The first column is the name of the row. */
  columns: readonly string[]
  rows: readonly { name: string; cells: readonly (string | number | Html)[] }[]
  class?: string
  /** Further columns that hold text. */
  text?: readonly number[]
}

function table({ columns, rows, class: name = '', text = [] }: Table): Html {
  const isText = (index: number): boolean => index === 0 || text.includes(index)
  return html`<div class="scroll"><table class="${name}"><thead><tr>${columns.map((column, index) => html`<th scope="col" class="${isText(index) ? 'text' : ''}">${column}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${row.name}</th>${row.cells.map((cell, index) => html`<td class="${isText(index + 1) ? 'text' : ''}">${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`
}

/** The mean with its interval, then the median, the range, and of how many cases. */
function meanOf(distribution: Distribution | null, format: (value: number | null) => string = shown): Html | string {
  if (!distribution) return '–'
  const { mean, interval, median, minimum, maximum, count } = distribution
  const spread = html`<small>${between(interval, format)}</small><small>median ${format(median)}</small><small>${format(minimum)} to ${format(maximum)}</small>`
  return html`${format(mean)}${count > 1 ? spread : null}<small>n = ${count}</small>`
}

function part(proportion: Proportion | null): Html | string {
  if (!proportion) return '–'
  return html`${shown(proportion.value)}<small>${between(proportion.interval)}</small><small>${proportion.of[0]}/${proportion.of[1]}</small>`
}

export function segmentTable({ segments, settings }: Evaluation): Html {
  return table({
    columns: [
      'Segment',
      'Dice',
      'IoU',
      'Hausdorff 95, mm',
      `Surface Dice at ${settings.tolerance} mm`,
      'Volume error',
      'Absent in',
    ],
    rows: segments.map((one) => ({
      name: one.label,
      cells: [
        meanOf(one.dice),
        meanOf(one.iou),
        meanOf(one.hausdorff95, measured),
        meanOf(one.surfaceDice),
        volumeCell(one),
        html`<small>result only: ${one.missed}</small><small>reference only: ${one.invented}</small><small>both: ${one.bothEmpty}</small>`,
      ],
    })),
  })
}

function volumeCell({ volumeError, volumeErrorPercent }: Evaluation['segments'][number]): Html | string {
  if (!volumeError) return '–'
  return html`${measured(volumeError.bias)} mL<small>absolute ${measured(volumeError.meanAbsoluteError)} mL</small>${volumeErrorPercent ? html`<small>${measured(volumeErrorPercent.mean)} %</small>` : null}`
}

export function classTable({ classes }: Evaluation): Html {
  return table({
    columns: ['Class', 'Positive', 'Sensitivity (recall)', 'Specificity', 'Precision', 'F1', 'Accuracy', 'AUC'],
    rows: classes.map(({ label, cases, positives, decisions: of, roc }) => ({
      name: label,
      cells: [
        `${positives} of ${cases}`,
        part(of.sensitivity),
        part(of.specificity),
        part(of.precision),
        of.f1 ? html`${shown(of.f1.value)}<small>${between(of.f1.interval)}</small>` : '–',
        part(of.accuracy),
        roc ? html`${shown(roc.auc)}<small>${between(roc.interval)}</small>` : '–',
      ],
    })),
  })
}

/** What was said of the cases of each class: of several classes, or of the two sides of each. */
export function confusionTables({ confusion, classes }: Evaluation): Html {
  if (confusion)
    return table({
      class: 'matrix',
      columns: ['Reference, down; result, across', ...confusion.classes],
      rows: confusion.matrix.map((row, truth) => ({
        name: confusion.classes[truth] ?? '',
        cells: row.map((count, said) => (truth === said ? html`<b>${count}</b>` : count)),
      })),
    })
  return table({
    class: 'matrix',
    columns: ['Class', 'Threshold', 'True positive', 'False positive', 'True negative', 'False negative'],
    rows: classes.map(({ label, threshold, decisions: of }) => ({
      name: label,
      cells: [threshold, of.truePositives, of.falsePositives, of.trueNegatives, of.falseNegatives],
    })),
  })
}

export function detectionTable({ detection }: Evaluation): Html | null {
  if (!detection) return null
  const fraction = (rate: number): string => (rate < 1 ? `1/${1 / rate}` : String(rate))
  return table({
    columns: [
      '',
      'Sensitivity',
      'Precision',
      'False per case',
      ...detection.at.map(({ falsePositivesPerCase: rate }) => `at ${fraction(rate)}`),
    ],
    rows: [
      {
        name: 'All findings',
        cells: [
          part(detection.sensitivity),
          part(detection.precision),
          shown(detection.falsePositivesPerCase, 2),
          ...detection.at.map(({ sensitivity }) => shown(sensitivity)),
        ],
      },
    ],
  })
}

export function numberTable({ numbers }: Evaluation): Html {
  return table({
    columns: ['Measurement', 'Unit', 'n', 'Mean absolute error', 'Bias', 'Limits of agreement'],
    text: [1],
    rows: numbers.map(({ name, unit, agreement }) => ({
      name,
      cells: [
        unit,
        agreement?.count ?? 0,
        measured(agreement?.meanAbsoluteError),
        measured(agreement?.bias),
        agreement?.limits ? `${measured(agreement.limits[0])} to ${measured(agreement.limits[1])}` : '–',
      ],
    })),
  })
}

const outcomes: Readonly<Record<CaseResult['outcome'], string>> = {
  compared: 'compared',
  'no-reference': 'no reference',
  refused: 'refused by the pipeline',
  failed: 'failed',
}

export function caseTable({ cases, segments, classes, detection, numbers }: Evaluation): Html {
  const labels = new Map(segments.map(({ id, label }) => [id, label]))
  return table({
    columns: [
      'Case',
      'Outcome',
      ...segments.map(({ label }) => `Dice, ${label}`),
      ...(segments.length > 0 ? ['Greatest Hausdorff 95, mm'] : []),
      ...classes.map(({ label }) => label),
      ...(detection ? ['Found / missed / false'] : []),
      ...(segments.length + classes.length === 0 ? numbers.map(({ name, unit }) => `${name}, ${unit}`) : []),
    ],
    text: [1],
    rows: cases.map((one) => ({
      name: one.name,
      cells: [
        one.reason === null
          ? outcomes[one.outcome]
          : html`${outcomes[one.outcome]}<br><span class="quiet">${one.reason}</span>`,
        ...[...labels.keys()].map((id) => shown(one.segments.find(({ segment }) => segment === id)?.dice)),
        ...(segments.length > 0 ? [measured(greatest(one.segments.map(({ hausdorff95 }) => hausdorff95)))] : []),
        ...classes.map(({ id }) => classCell(one, id)),
        ...(detection ? [detectionCell(one)] : []),
        ...(segments.length + classes.length === 0 ? numbers.map(({ id }) => numberCell(one, id)) : []),
      ],
    })),
  })
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function classCell({ classes }: CaseResult, id: string): Html | string {
  const own = classes.find((one) => one.class === id)
  if (!own) return '–'
  return html`${shown(own.score)}<small>${own.truth ? 'positive' : 'negative'}, ${own.found === own.truth ? 'right' : 'wrong'}</small>`
}

function detectionCell({ detection }: CaseResult): string {
  if (!detection) return '–'
  const found = new Set(detection.findings.flatMap(({ hits }) => hits)).size
  const wrong = detection.findings.filter(({ hits }) => hits.length === 0).length
  return `${found} / ${detection.lesions - found} / ${wrong}`
}

function numberCell({ numbers }: CaseResult, id: string): Html | string {
  const own = numbers.find(({ measurement }) => measurement === id)
  return own ? html`${measured(own.result)}<small>reference ${measured(own.reference)}</small>` : '–'
}
