import * as z from 'zod'
import { finishSteps } from '../../src/infer/finish/steps.ts'
import { postprocessingTransforms } from '../../src/infer/import/monai-postprocessing.ts'
import { ignoredTransforms, preprocessingTransforms } from '../../src/infer/import/monai-preprocessing.ts'
import { modelKinds } from '../../src/infer/import/tensor-roles.ts'
import { inputSchema, type PipelineInput } from '../../src/infer/manifest/input.ts'
import { type OutputKind, outputSchema } from '../../src/infer/manifest/output.ts'
import { quantities } from '../../src/infer/measure/quantities.ts'
import { prepareSteps } from '../../src/infer/prepare/steps.ts'
import { type RunOptions, runOptions } from '../../src/infer/runner/options.ts'

/** The tables of docs/pipelines.md: every input, step, run, quantity and output, from what the manifest's own schema is made of. */
export function pipelineTables(): Record<string, string> {
  return {
    inputs: table(
      ['kind', 'what it is', 'fields'],
      kindsOf(inputSchema).map(({ kind, fields }) => kindRow(kind, inputs, fields)),
    ),
    'prepare-steps': table(
      ['step', 'does', 'options'],
      Object.entries(prepareSteps).map(([name, { summary, options }]) => [`\`${name}\``, summary, optionsOf(options)]),
    ),
    runs: table(
      ['kind', 'how the model sees the image', 'options'],
      kindsOf(runOptions).map(({ kind, fields }) => kindRow(kind, runs, fields)),
    ),
    'finish-steps': table(
      ['step', 'takes', 'does', 'options'],
      Object.entries(finishSteps).map(([name, { summary, options, takes }]) => [
        `\`${name}\``,
        takes.join(', '),
        summary,
        optionsOf(options),
      ]),
    ),
    quantities: table(
      ['quantity', 'of', 'unit', 'what it is', 'options'],
      Object.entries(quantities).map(([name, { summary, options, unit, subject }]) => [
        `\`${name}\``,
        subject,
        unit === 'image' ? 'of the image' : unit,
        summary,
        optionsOf(options),
      ]),
    ),
    outputs: table(
      ['kind', 'what is written', 'fields'],
      kindsOf(outputSchema).map(({ kind, fields }) => kindRow(kind, outputs, fields)),
    ),
    'model-kinds': modelKinds.map((kind) => `\`${kind}\``).join(', '),
    'monai-transforms': table(
      ['transforms', 'names'],
      [
        ['with steps here', namesOf(preprocessingTransforms)],
        ['of post-processing', namesOf(postprocessingTransforms)],
        ['that need nothing here', namesOf(ignoredTransforms)],
      ],
    ),
  }
}

const inputs: Readonly<Record<PipelineInput['kind'], string>> = {
  volume: 'slices that make one volume',
  sequence: 'volumes, or frames, that differ in time, cardiac phase, b-value or echo: a channel each',
  frames: '2D images one after the other: cine, ultrasound, multi-frame',
  image: 'one 2D image of a series',
  segmentation: 'a Segmentation object that came with the images',
}

const runs: Readonly<Record<RunOptions['kind'], string>> = {
  whole: 'all of it at once',
  slices: 'slice by slice, or frame by frame, with neighbours as further channels where that is wanted',
  slabs: 'slab by slab along the slices, with a halo on either side',
  'sliding-window': 'window by window; where windows overlap their results are weighed',
  sequence: 'step by step along time or slices, with a state that is handed on',
}

const outputs: Readonly<Record<OutputKind, string>> = {
  segmentation: 'Segmentation: binary, label map, or fractional (probabilities)',
  'measurement-report': 'measurements of segments and of the whole: Comprehensive 3D SR, TID 1500',
  'planar-report': 'findings with boxes or points, or outlines of segments, on the slice that shows them: TID 1410',
  'classification-report': 'classes with their probabilities: SR',
  'parametric-map': 'a value as a Parametric Map in float32',
  'derived-images': 'a new series of images of the kind of the source',
  'colour-capture': 'pictures with colours over the images, with a legend: Secondary Capture',
  'presentation-state': 'shapes over the images: Grayscale Softcopy Presentation State',
  'summary-pdf': 'a page with measurements and pictures: Encapsulated PDF',
  'key-images': 'the slices that show the findings best: Key Object Selection',
  'structure-set': 'contours for radiotherapy: RT Structure Set',
  nifti: 'a value as a NIfTI file',
  json: 'measurements and findings as a JSON file',
}

interface JsonSchema {
  type?: string
  const?: unknown
  enum?: unknown[]
  default?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  additionalProperties?: JsonSchema | boolean
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
}

function schemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonSchema
}

/** The branches of a union by their kind; several of one kind are one row. Fields that all have stand in a row of their own. */
function kindsOf(schema: z.ZodType): { kind: string; fields: string }[] {
  const rows = new Map<string, { fields: Record<string, JsonSchema>; required: string[] }>()
  const visit = (branch: JsonSchema): void => {
    for (const inner of [...(branch.anyOf ?? []), ...(branch.oneOf ?? [])]) visit(inner)
    const kind = branch.properties?.kind?.const
    if (typeof kind !== 'string') return
    const { kind: _kind, ...own } = branch.properties ?? {}
    const before = rows.get(kind)
    const fields = { ...before?.fields, ...own }
    const formats = [before?.fields.format, own.format].flatMap((format) => format?.const ?? format?.enum ?? [])
    if (formats.length > 0) fields.format = { enum: formats, default: formats[0] }
    rows.set(kind, { fields, required: branch.required ?? [] })
  }
  visit(schemaOf(schema))
  const texts = [...rows].map(([kind, { fields, required }]) => ({ kind, fields: fieldTexts(fields, required) }))
  const [first] = texts
  const shared = (first?.fields ?? []).filter((text) => texts.every(({ fields }) => fields.includes(text)))
  const ofEach = texts.map(({ kind, fields }) => ({
    kind,
    fields: joined(fields.filter((text) => !shared.includes(text))),
  }))
  return shared.length === 0 ? ofEach : [{ kind: every, fields: joined(shared) }, ...ofEach]
}

/** The row of what all kinds have. */
const every = 'every'

function joined(texts: readonly string[]): string {
  return texts.join('; ')
}

function optionsOf(schema: z.ZodType): string {
  const { properties = {}, required = [] } = schemaOf(schema)
  return joined(fieldTexts(properties, required))
}

function fieldTexts(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): string[] {
  return Object.entries(properties).map(([name, schema]) => {
    const by = schema.default === undefined ? '' : ` = ${JSON.stringify(schema.default)}`
    const needed = required.includes(name) && schema.default === undefined ? ' (needed)' : ''
    const words = valuesOf(schema)
    return `\`${name}\`${words === '' ? '' : `: ${words}`}${by}${needed}`.replaceAll('|', '\\|')
  })
}

/** The words that are allowed; nothing for numbers, lists and mappings. */
function valuesOf(schema: JsonSchema): string {
  const one = (branch: JsonSchema): unknown[] => branch.enum ?? (branch.const === undefined ? [] : [branch.const])
  const words = [schema, ...(schema.anyOf ?? [])].flatMap(one)
  return words.map(String).join(', ')
}

function kindRow(kind: string, meanings: Readonly<Record<string, string>>, fields: string): string[] {
  return kind === every ? ['every kind', '', fields] : [`\`${kind}\``, meanings[kind] ?? '', fields]
}

function namesOf(names: readonly string[]): string {
  return names.map((name) => `${name}d`).join(', ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell || '–').join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
