import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import type { Agreement } from '../flow/agreement.ts'
import { comparePipelines, knownDigests, type PipelineComparison } from '../flow/compare-pipelines.ts'
import { DiskObjects } from '../store/disk-objects.ts'
import { print } from './arguments.ts'
import { withDatabase } from './with-database.ts'

/**
 * Compares what two pipelines found in the studies that both have run on, and prints it.
 * @returns exit code: 0 there was something to compare, 1 there was not
 * @throws HilumError `unknown-pipeline`
 */
export async function compare(
  config: Config,
  [a, b]: readonly [string, string],
  { studies, json }: { studies: number; json: boolean },
): Promise<number> {
  return withDatabase(config, async (database) => {
    if (!database) throw new HilumError('unknown-pipeline', 'the node has not been started yet: there are no results')
    const known = { a: await knownDigests(database, a), b: await knownDigests(database, b) }
    for (const { reference, pinned } of [known.a, known.b])
      if (pinned.length === 0)
        throw new HilumError('unknown-pipeline', `no pipeline that was ever installed here is called "${reference}"`)
    const comparison = await comparePipelines(known, { database, objects: new DiskObjects(config.dataDir), studies })
    print(json ? JSON.stringify(comparison, null, 2) : comparisonText(comparison))
    return comparison.studies.length > 0 ? 0 : 1
  })
}

/** A comparison for people: a row a measurement, a row a segment. */
export function comparisonText(comparison: PipelineComparison): string {
  const { a, b, studies, otherInput, measurements, segments, remarks } = comparison
  const lines = [
    `A  ${a.pinned.join(', ')}`,
    `B  ${b.pinned.join(', ')}`,
    `${counted(studies.length, 'study', 'studies')} with results of both on the same input${otherInput > 0 ? `, ${otherInput} more on other inputs` : ''}`,
  ]
  if (measurements.length > 0)
    lines.push(
      '',
      ...table(
        ['measurement', 'unit', 'studies', 'mean A', 'mean B', 'B - A', '95 % limits', 'largest', 'in study'],
        measurements.map(agreementRow),
      ),
    )
  if (segments.length > 0)
    lines.push(
      '',
      ...table(
        ['segment', 'of', 'studies', 'mean Dice', 'least', 'in study'],
        segments.map(({ label, role, studies: n, mean, least }) => [
          label,
          role,
          String(n),
          mean.toFixed(3),
          least.dice.toFixed(3),
          least.studyInstanceUID,
        ]),
      ),
    )
  if (remarks.length > 0) lines.push('', ...remarks)
  return lines.join('\n')
}

function agreementRow({
  name,
  site,
  unit,
  studies,
  meanA,
  meanB,
  meanDifference,
  limits,
  largest,
}: Agreement): string[] {
  return [
    site === null ? name : `${name} (${site})`,
    unit,
    String(studies),
    short(meanA),
    short(meanB),
    short(meanDifference),
    limits === null ? '' : `${short(limits.low)} to ${short(limits.high)}`,
    short(largest.b - largest.a),
    largest.studyInstanceUID,
  ]
}

const short = (value: number): string => String(Number(value.toPrecision(4)))

const counted = (n: number, one: string, several: string): string => `${n} ${n === 1 ? one : several}`

function table(heading: readonly string[], rows: readonly string[][]): string[] {
  const widths = heading.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  return [heading, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
