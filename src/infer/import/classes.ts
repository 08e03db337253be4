import * as z from 'zod'
import { code, colour } from '../manifest/vocabulary.ts'
import { ImportError } from './error.ts'
import type { Code, PlanClass } from './plan.ts'
import { type Answers, distinct, slug, wordsOf } from './question.ts'

const structure: Code = { value: '123037004', scheme: 'SCT', meaning: 'Anatomical Structure' }
const abnormality: Code = { value: '49755003', scheme: 'SCT', meaning: 'Morphologically Abnormal Structure' }

/** Codes of what models most often segment (SNOMED CT, as in CID 7151 and others of PS3.16). */
const known: Readonly<Record<string, Code>> = Object.fromEntries(
  (
    [
      ['Liver', '10200004'],
      ['Spleen', '78961009'],
      ['Kidney', '64033007'],
      ['Pancreas', '15776009'],
      ['Heart', '80891009'],
      ['Brain', '12738006'],
      ['Lung', '39607008'],
      ['Prostate', '41216001'],
      ['Aorta', '15825003'],
      ['Stomach', '69695003'],
      ['Gallbladder', '28231008'],
      ['Esophagus', '32849002'],
      ['Left atrium', '82471001'],
    ] as const
  ).map(([meaning, value]) => [slug(meaning), { value, scheme: 'SCT', meaning }]),
)

const colours: readonly (readonly [number, number, number])[] = [
  [230, 80, 80],
  [80, 160, 230],
  [110, 200, 110],
  [240, 200, 80],
  [180, 110, 220],
  [80, 210, 210],
  [240, 140, 60],
  [240, 130, 190],
]

const givenClass = z.union([
  z
    .string()
    .min(1)
    .transform((name) => ({ name })),
  z.strictObject({
    name: z.string().min(1).max(64),
    code: code.optional(),
    category: code.optional(),
    modifiers: z.array(code).optional(),
    colour: colour.optional(),
  }),
])

/**
 * Asks what the classes are called and which codes they have. Known names have theirs; others get a code of their own, which means nothing
 * elsewhere, unless one is given.
 * @param names what is known of them; a question where it is null
 * @param count how many there are; null where the model does not say
 */
export async function askClasses(
  answers: Answers,
  { names, count, what }: { names: readonly string[] | null; count: number | null; what: 'segment' | 'finding' },
): Promise<PlanClass[]> {
  const wanted = await namedClasses(answers, names, count)
  if (wanted.length === 0 || (count !== null && wanted.length !== count))
    throw new ImportError(
      'bad-answer',
      `classes: ${wanted.length} are given, ${count ?? 'at least one'} is expected (without background)`,
    )
  const ids = distinct(wanted.map(({ name }, index) => slug(name, `class-${index + 1}`)))
  const classes: PlanClass[] = []
  for (const [index, given] of wanted.entries()) {
    const id = ids[index] as string
    classes.push({
      id,
      label: given.name.slice(0, 64),
      category: given.category ?? (what === 'finding' ? abnormality : structure),
      type: given.code ?? (await askCode(answers, id, given.name)),
      ...(given.modifiers && { modifiers: given.modifiers }),
      colour: given.colour ?? (colours[index % colours.length] as readonly [number, number, number]),
    })
  }
  return classes
}

interface GivenClass {
  name: string
  code?: Code | undefined
  category?: Code | undefined
  modifiers?: Code[] | undefined
  colour?: [number, number, number] | undefined
}

async function namedClasses(
  answers: Answers,
  names: readonly string[] | null,
  count: number | null,
): Promise<GivenClass[]> {
  const given = answers.given('classes')
  if (Array.isArray(given)) {
    const parsed = z.array(givenClass).safeParse(given)
    if (!parsed.success) throw new ImportError('bad-answer', `classes: ${z.prettifyError(parsed.error)}`)
    return parsed.data
  }
  const suggested = names ?? Array.from({ length: count ?? 1 }, (_, index) => `class ${index + 1}`)
  const text = await answers.text({
    id: 'classes',
    text: 'Names of the classes without background, in the order of the model, with commas between them',
    default: suggested.join(', '),
  })
  return wordsOf(text).map((name) => ({ name }))
}

async function askCode(answers: Answers, id: string, name: string): Promise<Code> {
  const suggested = known[id] ?? {
    value: id.toUpperCase().slice(0, 16).replace(/-+$/, ''),
    scheme: '99HILUM',
    meaning: name.slice(0, 64),
  }
  const text = await answers.text({
    id: `code-${id}`,
    text: `Code of ${name}: value, scheme, meaning`,
    default: `${suggested.value}, ${suggested.scheme}, ${suggested.meaning}`,
  })
  const [value, scheme, ...meaning] = wordsOf(text)
  const parsed = code.safeParse({ value, scheme, meaning: meaning.join(', ') })
  if (!parsed.success)
    throw new ImportError(
      'bad-answer',
      `code-${id}: "${text}": value, scheme, meaning (at most 16, 16 and 64 characters) are expected`,
    )
  return parsed.data
}

/** Said in the README where classes have codes of their own. */
export function codeNotes(classes: readonly PlanClass[]): string[] {
  const own = classes.filter(({ type }) => type.scheme === '99HILUM').map(({ id }) => id)
  if (own.length === 0) return []
  return [
    `${own.join(', ')}: the code is a private one (99HILUM), which other programs do not know. Replace it by one of CID 7151 or another context group of PS3.16.`,
  ]
}
