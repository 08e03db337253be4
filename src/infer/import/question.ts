import { messageOf } from '../../errors.ts'
import { suggestion } from '../../nearest-name.ts'

/** Something that files do not say. */
export interface Question {
  /** Its key in a file of answers. */
  id: string
  text: string
  /** What is taken without an answer; a question without it has to be answered. */
  default?: string
  /** The default is what the files say, and no guess. */
  isKnown?: boolean
  choices?: readonly string[]
  /** What is wrong with an answer, in words; null where nothing is. */
  faultOf?(answer: string): string | null
}

/** What is wrong with an answer to a question; null where nothing is. */
export function faultIn({ choices, faultOf }: Question, answer: string): string | null {
  if (choices && !choices.includes(answer))
    return `one of ${choices.join(', ')} is expected${suggestion(answer, choices)}`
  return faultOf?.(answer) ?? null
}

/** The words of what a function throws of an answer; null where it takes it. */
export function faultOfThrown(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** Whoever answers: a person at a terminal, or a file. */
export interface Answers {
  /** @throws {ImportError} `bad-answer` where there is neither answer nor default, or the answer is wrong */
  text(question: Question): Promise<string>
  /** What a file says of a key, as it is written there; undefined where it says nothing. */
  given(id: string): unknown
}

/** Asks for one of some words. */
export async function choose<Choice extends string>(
  answers: Answers,
  question: { id: string; text: string; default: Choice; isKnown?: boolean; choices: readonly Choice[] },
): Promise<Choice> {
  return (await answers.text(question)) as Choice
}

/** Asks for as many numbers, or `none`. @returns null for `none` */
export async function askNumbers(
  answers: Answers,
  question: Question,
  { counts, whole = false }: { counts: readonly number[]; whole?: boolean },
): Promise<number[] | null> {
  const isRight = (n: number): boolean => n > 0 && (!whole || Number.isInteger(n))
  const faultOf = (answer: string): string | null => {
    if (answer === 'none') return null
    const numbers = numbersOf(answer)
    if (!numbers || !counts.includes(numbers.length) || !numbers.every(isRight))
      return `${counts.join(' or ')} ${whole ? 'whole numbers' : 'numbers'} above 0 are expected, or none`
    return question.faultOf?.(answer) ?? null
  }
  const answer = await answers.text({ ...question, faultOf })
  return answer === 'none' ? null : numbersOf(answer)
}

/** Asks for a modality, or several that are taken alike. */
export async function askModality(
  answers: Answers,
  question: { text: string; default?: string; isKnown?: boolean },
): Promise<string | string[]> {
  const given = wordsOf(
    await answers.text({
      id: 'modality',
      ...question,
      faultOf: (answer) =>
        /^[A-Za-z]{2,8}(\s*,\s*[A-Za-z]{2,8})*$/.test(answer)
          ? null
          : 'a modality as DICOM writes it is expected, as CT, or CR, DX',
    }),
  ).map((word) => word.toUpperCase())
  return given.length === 1 ? (given[0] as string) : given
}

const axisLetters = ['LR', 'AP', 'IS']

/** Asks which way the axes of the training images ran. @returns null for as they come */
export async function askAxes(answers: Answers, text: string = axesText): Promise<string | null> {
  const answer = await answers.text({
    id: 'axes',
    text,
    default: 'RAS',
    faultOf: (given) => {
      const pairs = given
        .toUpperCase()
        .split('')
        .map((letter) => axisLetters.findIndex((pair) => pair.includes(letter)))
      const isRight = pairs.length === 3 && [0, 1, 2].every((pair) => pairs.includes(pair))
      return isRight || given === 'none' ? null : 'three letters as RAS or LPS are expected, or none'
    },
  })
  return answer === 'none' ? null : answer.toUpperCase()
}

const axesText =
  'Where columns, rows and slices of the training images grew to: RAS as in NIfTI, LPS as in DICOM, or none (as they come)'

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
