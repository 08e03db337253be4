import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { PipelinesDeps } from '../admin/api-pipelines.ts'
import { manifestFile, type Pipeline } from '../infer/load-pipelines.ts'
import { describeInput } from '../infer/manifest/describe-input.ts'
import { filesOf } from '../infer/runtime/options.ts'

type Card = Awaited<ReturnType<PipelinesDeps['pipelines']['card']>>
type Version = Awaited<ReturnType<PipelinesDeps['pipelines']['list']>>[number]

/** READMEs that are longer are cut: they are shown, not read by programs. */
const longestText = 200_000

/** Everything that can be said of an installed version without running it. */
export async function cardOf(pipeline: Pipeline, version: Version): Promise<Card> {
  const { folder, inputs, segments, outputs, infer } = pipeline
  const names = [manifestFile, ...infer.flatMap(({ model }) => model.flatMap((one) => Object.keys(filesOf(one))))]
  return {
    ...version,
    inputs: inputs.map((input) => ({
      name: input.name,
      kind: input.kind,
      modality: input.modality,
      sopClasses: input.sopClasses ?? [],
      declared: describeInput(input).split(', '),
    })),
    measurements: measurementsOf(pipeline),
    segments: segments.map((segment) => ({
      label: labelOf(segment),
      colour: 'colour' in segment ? [...segment.colour] : [],
    })),
    outputs: outputs.map(({ id, kind, title }) => ({ id: id ?? kind, kind, title: title ?? '' })),
    files: await Promise.all(
      [...new Set(names)].map(async (name) => ({ name, bytes: (await stat(path.join(folder, name))).size })),
    ),
    readme: await textOf(path.join(folder, 'README.md')),
    evaluation: await evaluationOf(pipeline),
    manifest: (await textOf(path.join(folder, manifestFile))) ?? '',
  }
}

function measurementsOf({ measure, segments }: Pipeline): Card['measurements'] {
  const labelIn = (id: string | undefined) => {
    const found = segments.find((segment) => segment.id === id)
    return found ? labelOf(found) : null
  }
  return measure.flatMap((entry) =>
    'quantity' in entry
      ? [{ name: entry.name, unit: entry.unit.value, of: labelIn(entry.segment) }]
      : [{ name: `radiomics of ${entry.of}`, unit: '', of: labelIn(entry.segment) }],
  )
}

function labelOf(segment: Pipeline['segments'][number]): string {
  return 'label' in segment ? segment.label : segment.id
}

/** The report of an evaluation; null where there is none. */
export function reportOf({ folder }: Pipeline): Promise<string | null> {
  return readFile(path.join(folder, 'evaluation', 'report.html'), 'utf8').catch(() => null)
}

interface Distribution {
  median?: number | null
  mean?: number | null
  interval?: readonly [number, number] | null
}

/** The parts of evaluation.json that a card shows: files of other versions may lack some. */
interface EvaluationFile {
  at?: string
  pipeline?: { digest?: string }
  cases?: { outcome?: string }[]
  segments?: { label?: string; dice?: Distribution | null; hausdorff95?: Distribution | null }[]
  classes?: { label?: string; roc?: { auc?: number; interval?: readonly [number, number] } | null }[]
}

async function evaluationOf({ folder, digest }: Pipeline): Promise<Card['evaluation']> {
  const text = await textOf(path.join(folder, 'evaluation', 'evaluation.json'), 64 * 2 ** 20)
  if (text === null) return null
  let found: EvaluationFile
  try {
    found = JSON.parse(text) as EvaluationFile
  } catch {
    return null
  }
  const count = (outcome: string) => (found.cases ?? []).filter((one) => one.outcome === outcome).length
  return {
    at: found.at ?? '',
    compared: count('compared'),
    refused: count('refused'),
    failed: count('failed'),
    figures: [
      ...(found.segments ?? []).flatMap(({ label = '', dice, hausdorff95 }) => [
        ...figure(label, 'Dice', dice),
        ...figure(label, 'Hausdorff 95 %, mm', hausdorff95),
      ]),
      ...(found.classes ?? []).flatMap(({ label = '', roc }) =>
        figure(label, 'AUC', roc && { median: roc.auc ?? null, interval: roc.interval ?? null }),
      ),
    ],
    ofThisVersion: found.pipeline?.digest === digest,
    report: (await stat(path.join(folder, 'evaluation', 'report.html')).catch(() => null)) !== null,
  }
}

function figure(of: string, metric: string, found: Distribution | null | undefined) {
  const value = found?.median ?? found?.mean
  if (value === undefined || value === null) return []
  return [{ of, metric, value, low: found?.interval?.[0] ?? null, high: found?.interval?.[1] ?? null }]
}

async function textOf(file: string, longest = longestText): Promise<string | null> {
  try {
    const { size } = await stat(file)
    return size > longest ? null : await readFile(file, 'utf8')
  } catch {
    return null
  }
}
