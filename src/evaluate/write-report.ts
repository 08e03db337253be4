import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { encodeCsv } from './csv.ts'
import type { CaseResult, Evaluation } from './evaluation.ts'
import { reportPage } from './report/page.ts'
import type { WorstCase } from './worst-cases.ts'

/**
 * Writes `report.html`, `evaluation.json` and `cases.csv`.
 * @param folder made where it is missing
 * @returns the paths
 */
export async function writeReport(
  folder: string,
  evaluation: Evaluation,
  worst: readonly WorstCase[],
): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const files: [string, string][] = [
    ['report.html', reportPage(evaluation, worst)],
    ['evaluation.json', evaluationJson(evaluation)],
    ['cases.csv', casesCsv(evaluation.cases)],
  ]
  for (const [name, text] of files) await writeFile(path.join(folder, name), text)
  return files.map(([name]) => path.join(folder, name))
}

/** Everything but the drawings; what is not finite is null. */
export function evaluationJson({ cases, ...evaluation }: Evaluation): string {
  const plain = cases.map(({ sketch: _, ...one }) => one)
  return `${JSON.stringify({ ...evaluation, cases: plain }, null, 2)}\n`
}

/** A row for each value of each case: the long form, that statistics programs take. */
export function casesCsv(cases: readonly CaseResult[]): string {
  const rows: (string | number | null)[][] = []
  for (const one of cases) {
    const add = (of: string, metric: string, value: number | string | null): void => {
      rows.push([one.name, one.seriesInstanceUID, one.outcome, one.reason, of, metric, value])
    }
    const before = rows.length
    for (const { segment, ...metrics } of one.segments)
      for (const [metric, value] of Object.entries(metrics)) add(segment, metric, value)
    for (const { class: of, score, found, truth } of one.classes) {
      add(of, 'score', score)
      add(of, 'found', Number(found))
      add(of, 'truth', Number(truth))
    }
    if (one.label) {
      add('', 'label', one.label.said)
      add('', 'referenceLabel', one.label.truth)
    }
    for (const { measurement, result, reference } of one.numbers) {
      add(measurement, 'result', result)
      add(measurement, 'reference', reference)
    }
    if (one.detection) {
      const { lesions, findings } = one.detection
      add('', 'lesions', lesions)
      add('', 'lesionsFound', new Set(findings.flatMap(({ hits }) => hits)).size)
      add('', 'falsePositives', findings.filter(({ hits }) => hits.length === 0).length)
    }
    if (rows.length === before) add('', '', null)
  }
  return encodeCsv([['case', 'SeriesInstanceUID', 'outcome', 'reason', 'of', 'metric', 'value'], ...rows])
}
