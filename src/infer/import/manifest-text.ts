import { Document, isCollection, isMap, isPair, isScalar, isSeq, type Node, Scalar, type YAMLMap } from 'yaml'
import type { Plan, PlanChain, PlanClass, PlanResult, PlanStep } from './plan.ts'

/** Longest collection that is written on one line. */
const oneLine = 110

/** What stands above each section. */
const sectionComments: Readonly<Record<string, string>> = {
  title: ' Words for people. Say who may use it, for what, and what it was made from.',
  inputs:
    ' The series that it takes. A series outside of the limits is refused, with the value and the limit: add those of the training data',
  prepare: ' What is done to the images before the model sees them, step by step: the same as in training.',
  infer: ' The model. Names of inputs and outputs are its own; layouts say what each dimension is, the slowest first.',
  finish: ' What is done to what the model gives.',
  segments: ' What each label is. Codes are those of PS3.16, CID 7150 (category) and 7151 (type).',
  measure: ' What is measured.',
  outputs: ' What is written. Results lie on the images that came, whatever grid the model worked on.',
}

/**
 * The text of a pipeline.yaml, with comments.
 * @param digests SHA-256 of the files of the models, by their names in the pipeline's folder
 * @param supplied files that are not there yet, and where they come from
 */
export function manifestText(
  plan: Plan,
  digests: Readonly<Record<string, string>>,
  supplied: Readonly<Record<string, string>> = {},
): string {
  const document = new Document(manifestOf(plan, digests, supplied), { aliasDuplicateObjects: false })
  const root = document.contents as unknown as YAMLMap
  document.commentBefore = [
    ` ${plan.origin}`,
    ...plan.todo.map((sentence) => ` TODO: ${sentence}`),
    ' hilum pipeline check says what is wrong; hilum pipeline run tries it on a series; docs/pipelines.md explains every field.',
  ].join('\n')
  for (const { key } of root.items) {
    if (!isScalar(key)) continue
    const comment = sectionComments[String(key.value)]
    if (comment === undefined) continue
    key.spaceBefore = true
    key.commentBefore = comment
  }
  for (const section of ['prepare', 'finish'] as const)
    for (const [name, { steps }] of Object.entries(plan[section]))
      commentSteps(document, [section, name, 'steps'], steps)
  for (const item of root.items) fold(item.value as Node | null, true)
  return document.toString({ lineWidth: 140, singleQuote: true })
}

function commentSteps(document: Document, path: readonly string[], steps: readonly PlanStep[]): void {
  for (const [index, { comment }] of steps.entries()) {
    const node: unknown = document.getIn([...path, index], true)
    if (comment !== undefined && (isScalar(node) || isCollection(node))) node.commentBefore = ` ${comment}`
  }
}

/** Writes small collections on one line. @returns whether a comment stands inside */
function fold(node: Node | null, isTop: boolean): boolean {
  if (node === null || !isCollection(node)) return Boolean(node?.commentBefore)
  let comments = false
  for (const item of node.items) {
    const child = isPair(item) ? (item.value as Node | null) : (item as Node)
    if (fold(child, false)) comments = true
    const isSteps = isPair(item) && isScalar(item.key) && item.key.value === 'steps'
    if (isSteps && isSeq(child)) {
      child.flow = child.items.length === 0
      for (const step of child.items) if (isCollection(step)) step.flow = false
      comments = true
    }
  }
  const length = JSON.stringify(node.toJSON()).length
  const holdsMaps =
    isMap(node) && node.items.some((item) => isPair(item) && isCollection(item.value) && !item.value.flow)
  if (!isTop && !comments && !holdsMaps && length <= oneLine) node.flow = true
  return comments || Boolean(node.commentBefore)
}

function manifestOf(
  plan: Plan,
  digests: Readonly<Record<string, string>>,
  supplied: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const models = plan.models.map(({ name, data }) => ({
    file: name,
    sha256: digests[name],
    ...(data.length > 0 && { data: Object.fromEntries(data.map((one) => [one.name, digests[one.name]])) }),
  }))
  return {
    schema: 2,
    name: plan.name,
    version: '1.0.0',
    title: plan.title.slice(0, 40),
    manufacturer: 'unknown',
    description: folded(plan.description),
    intendedUse: 'Research only. Not a medical device; results are unverified until a radiologist has confirmed them.',
    limits: folded(
      'Not known yet: say for which patients, protocols and devices the model was made, and how well it does there.',
    ),
    demonstrator: true,
    ...(Object.keys(supplied).length > 0 && { supplied }),
    inputs: plan.inputs,
    ...(Object.keys(plan.prepare).length > 0 && { prepare: chainsOf(plan.prepare) }),
    ...(models.length > 0 && {
      infer: [
        {
          name: 'model',
          model: models.length === 1 ? models[0] : models,
          inputs: plan.feeds,
          run: plan.run,
          ...(plan.augment && { augment: plan.augment }),
          outputs: plan.tensors,
          ...(plan.occlusion && { occlusion: plan.occlusion }),
        },
      ],
    }),
    ...(Object.keys(plan.finish).length > 0 && { finish: chainsOf(plan.finish) }),
    ...resultOf(plan.result),
  }
}

function chainsOf(chains: Readonly<Record<string, PlanChain>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(chains).map(([name, { from, align, steps }]) => [
      name,
      {
        from,
        ...(align && { align }),
        steps: steps.map(({ step, options }) =>
          options && Object.keys(options).length > 0 ? { [step]: options } : step,
        ),
      },
    ]),
  )
}

const volume = { value: '118565006', scheme: 'SCT', meaning: 'Volume' }
const area = { value: '42798000', scheme: 'SCT', meaning: 'Area' }
const units = {
  volume: { value: 'mL', scheme: 'UCUM', meaning: 'milliliter' },
  area: { value: 'mm2', scheme: 'UCUM', meaning: 'square millimeter' },
}

function resultOf(result: PlanResult): Record<string, unknown> {
  switch (result.kind) {
    case 'segmentation':
      return {
        segments: result.segments.map(({ id, from, value, ...words }) => ({
          id,
          from,
          value,
          ...definedBy(words),
          colour: words.colour,
        })),
        measure: result.segments.map(({ id, label }) => ({
          id: `${id.slice(0, 55)}-${result.measures}`,
          name: `${label.slice(0, 56)}, ${result.measures}`,
          quantity: result.measures,
          segment: id,
          code: result.measures === 'volume' ? volume : area,
          unit: units[result.measures],
        })),
        outputs: [{ kind: 'segmentation' }, { kind: 'measurement-report' }],
      }
    case 'classification':
      return {
        outputs: [
          {
            kind: 'classification-report',
            from: result.from,
            classes: result.classes.map(({ id, label, type }) => ({ id, label, type, threshold: 0.5 })),
          },
          ...(result.map === undefined
            ? []
            : [
                {
                  kind: 'colour-capture',
                  title: 'evidence',
                  heatMap: { from: result.map, name: 'Evidence', range: [0.02, 0.3] },
                },
              ]),
        ],
      }
    case 'images':
      return {
        outputs: [
          {
            kind: 'derived-images',
            from: result.from,
            description: 'made by a model',
            derivations: [{ value: 'MODEL', scheme: '99HILUM', meaning: 'Image made by a model' }],
          },
        ],
      }
  }
}

function definedBy({ label, category, type, modifiers }: Omit<PlanClass, 'id'>): Record<string, unknown> {
  return { label, category, type, ...(modifiers && modifiers.length > 0 && { modifiers }) }
}

/** A text over several lines, where it is long. */
function folded(text: string): unknown {
  const scalar = new Scalar(text)
  if (text.length > 100) scalar.type = 'BLOCK_FOLDED'
  return scalar
}
