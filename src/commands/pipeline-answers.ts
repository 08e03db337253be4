import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { parse } from 'yaml'
import { messageOf } from '../errors.ts'
import { ImportError } from '../infer/import/error.ts'
import type { Answers, Question } from '../infer/import/question.ts'
import { suggestion } from '../nearest-name.ts'

/** Answers of a file, then of a person where there is a terminal, else the defaults. */
export class GivenAnswers implements Answers {
  readonly #given: Readonly<Record<string, unknown>>
  readonly #terminal: boolean
  readonly #asked = new Map<string, string>()

  constructor(given: Readonly<Record<string, unknown>>, { terminal }: { terminal: boolean }) {
    this.#given = given
    this.#terminal = terminal
  }

  /** @throws {ImportError} `bad-answer` where the file is no mapping */
  static async read(file: string | undefined): Promise<GivenAnswers> {
    const terminal = file === undefined && process.stdin.isTTY && process.stdout.isTTY
    if (file === undefined) return new GivenAnswers({}, { terminal })
    let content: unknown
    try {
      content = parse(await readFile(file, 'utf8')) ?? {}
    } catch (error) {
      throw new ImportError('bad-answer', `${file}: ${messageOf(error)}`, { cause: error })
    }
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new ImportError('bad-answer', `${file}: a mapping of questions to answers is expected`)
    return new GivenAnswers(content as Record<string, unknown>, { terminal: false })
  }

  given(id: string): unknown {
    if (Object.hasOwn(this.#given, id)) this.#asked.set(id, 'as the file says')
    return this.#given[id]
  }

  async text(question: Question): Promise<string> {
    const { id, choices } = question
    const answer = await this.#answer(question)
    if (choices && !choices.includes(answer))
      throw new ImportError(
        'bad-answer',
        `${id}: "${answer}": one of ${choices.join(', ')} is expected${suggestion(answer, choices)}`,
      )
    this.#asked.set(id, answer)
    return answer
  }

  async #answer(question: Question): Promise<string> {
    const given = this.#given[question.id]
    if (given !== undefined && given !== null) return textOf(question.id, given)
    if (this.#terminal) return await askAtTerminal(question)
    if (question.default !== undefined) return question.default
    throw new ImportError('bad-answer', `${question.id}: an answer is needed: ${question.text}`)
  }

  /** Every question with what was taken, in the order of the questions. */
  get taken(): ReadonlyMap<string, string> {
    return this.#asked
  }

  /** @throws {ImportError} `bad-answer` where the file answers what nobody asked */
  expectAllAsked(): void {
    const unknown = Object.keys(this.#given).filter((id) => !this.#asked.has(id))
    if (unknown.length > 0)
      throw new ImportError(
        'bad-answer',
        unknown
          .map(
            (id) =>
              `${id}: nobody asks this here${suggestion(id, this.#asked.keys())}; asked are ${[...this.#asked.keys()].join(', ')}`,
          )
          .join('\n'),
      )
  }
}

function textOf(id: string, given: unknown): string {
  const parts: unknown[] = [given].flat(2)
  if (!parts.every((part) => ['string', 'number', 'boolean'].includes(typeof part)))
    throw new ImportError('bad-answer', `${id}: a text, a number, or a list of them is expected`)
  if (typeof given === 'boolean') return given ? 'yes' : 'no'
  return parts.map(String).join(', ')
}

async function askAtTerminal(question: Question): Promise<string> {
  const { text, choices } = question
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    for (;;) {
      const options = choices ? ` (${choices.join(' | ')})` : ''
      const answer = (
        await terminal.question(`${text}${options}${question.default === undefined ? '' : ` [${question.default}]`}: `)
      ).trim()
      const taken = answer === '' ? question.default : answer
      if (taken !== undefined && (!choices || choices.includes(taken))) return taken
      process.stdout.write(`${choices ? `One of ${choices.join(', ')} is expected.` : 'An answer is needed.'}\n`)
    }
  } finally {
    terminal.close()
  }
}
