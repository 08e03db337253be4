import * as z from 'zod'
import { code, colour } from '../manifest/vocabulary.ts'
import { ImportError } from './error.ts'
import { category, knownCodes } from './known-codes.ts'
import type { Code, PlanClass } from './plan.ts'
import { type Answers, distinct, slug, wordsOf } from './question.ts'

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
  const fault = faultOfCount(wanted.length, count)
  if (fault !== null) throw new ImportError('bad-answer', `classes: ${fault}`)
  const ids = distinct(wanted.map(({ name }, index) => slug(name, `class-${index + 1}`)))
  const classes: PlanClass[] = []
  for (const [index, given] of wanted.entries()) {
    const id = ids[index] as string
    const type = given.code ?? (await askCode(answers, id, given.name))
    const known = knownCodes(given.name)
    const isKnown = known?.type.value === type.value && known.type.scheme === type.scheme
    const modifiers = given.modifiers ?? (isKnown ? known.modifiers : undefined)
    const usual = what === 'finding' ? category.abnormality : category.structure
    classes.push({
      id,
      label: given.name.slice(0, 64),
      category: given.category ?? (isKnown ? known.category : usual),
      type,
      ...(modifiers && { modifiers }),
      colour: given.colour ?? (colours[index % colours.length] as readonly [number, number, number]),
    })
  }
  return classes
}

function faultOfCount(given: number, count: number | null): string | null {
  if (given > 0 && (count === null || given === count)) return null
  return `${given} are given, ${count ?? 'at least one'} ${(count ?? 1) === 1 ? 'is' : 'are'} expected (without background)`
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
    isKnown: names !== null,
    faultOf: (answer) => faultOfCount(wordsOf(answer).length, count),
  })
  return wordsOf(text).map((name) => ({ name }))
}

async function askCode(answers: Answers, id: string, name: string): Promise<Code> {
  const suggested = knownCodes(name)?.type ?? {
    value: id.toUpperCase().slice(0, 16).replace(/-+$/, ''),
    scheme: '99HILUM',
    meaning: name.slice(0, 64),
  }
  const text = await answers.text({
    id: `code-${id}`,
    text: `Code of ${name}: value, scheme, meaning`,
    default: `${suggested.value}, ${suggested.scheme}, ${suggested.meaning}`,
    faultOf: (answer) =>
      codeOf(answer).success ? null : 'value, scheme, meaning (at most 16, 16 and 64 characters) are expected',
  })
  return codeOf(text).data as Code
}

function codeOf(text: string): z.ZodSafeParseResult<Code> {
  const [value, scheme, ...meaning] = wordsOf(text)
  return code.safeParse({ value, scheme, meaning: meaning.join(', ') })
}

/** Said in the README where classes have codes of their own. */
export function codeNotes(classes: readonly PlanClass[]): string[] {
  const own = classes.filter(({ type }) => type.scheme === '99HILUM').map(({ id }) => id)
  if (own.length === 0) return []
  return [
    `${own.join(', ')}: the code is a private one (99HILUM), which other programs do not know. Replace it by one of CID 7151 or another context group of PS3.16.`,
  ]
}
