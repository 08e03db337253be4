import { ImportError } from './error.ts'

/** Something that files do not say. */
export interface Question {
  /** Its key in a file of answers. */
  id: string
  text: string
  /** What is taken without an answer; a question without it has to be answered. */
  default?: string
  choices?: readonly string[]
}

/** Whoever answers: a person at a terminal, or a file. */
export interface Answers {
  /** @throws {ImportError} `bad-answer` where there is neither answer nor default, or the answer is none of the choices */
  text(question: Question): Promise<string>
  /** What a file says of a key, as it is written there; undefined where it says nothing. */
  given(id: string): unknown
}

/** Asks for one of some words. */
export async function choose<Choice extends string>(
  answers: Answers,
  question: { id: string; text: string; default: Choice; choices: readonly Choice[] },
): Promise<Choice> {
  const answer = await answers.text(question)
  if (!question.choices.includes(answer as Choice))
    throw new ImportError(
      'bad-answer',
      `${question.id}: "${answer}": one of ${question.choices.join(', ')} is expected`,
    )
  return answer as Choice
}

/** Asks for as many numbers, or `none`. @returns null for `none` */
export async function askNumbers(
  answers: Answers,
  question: Question,
  { counts, whole = false }: { counts: readonly number[]; whole?: boolean },
): Promise<number[] | null> {
  const answer = await answers.text(question)
  if (answer === 'none') return null
  const numbers = numbersOf(answer)
  const isRight = (n: number): boolean => n > 0 && (!whole || Number.isInteger(n))
  if (!numbers || !counts.includes(numbers.length) || !numbers.every(isRight))
    throw new ImportError(
      'bad-answer',
      `${question.id}: "${answer}": ${counts.join(' or ')} ${whole ? 'whole numbers' : 'numbers'} above 0 are expected, or none`,
    )
  return numbers
}

/** Numbers with commas, spaces or x between them; null where that is not what it is. */
export function numbersOf(text: string): number[] | null {
  const numbers = text
    .split(/[\s,x×]+/)
    .filter((part) => part !== '')
    .map(Number)
  return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : null
}

/** Words with commas between them. */
export function wordsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** A name as manifests have them: lower-case letters, digits and hyphens. */
export function slug(text: string, otherwise = 'x'): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  return plain.slice(0, 63).replace(/-+$/, '') || otherwise
}

/** Names, made different by numbers where several are the same. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let n = 2; taken.has(free); n++) free = `${name.slice(0, 59)}-${n}`
    taken.add(free)
    return free
  })
}
