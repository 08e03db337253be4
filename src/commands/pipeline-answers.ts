import { readFile } from 'node:fs/promises'
import { createInterface, type Interface } from 'node:readline/promises'
import { parse } from 'yaml'
import { messageOf } from '../errors.ts'
import { ImportError } from '../infer/import/error.ts'
import { type Answers, faultIn, type Question } from '../infer/import/question.ts'
import { suggestion } from '../nearest-name.ts'

/** Answers of a file, then of a person where there is a terminal, else the defaults. */
export class GivenAnswers implements Answers {
  readonly #given: Readonly<Record<string, unknown>>
  readonly #terminal: Terminal | null
  readonly #asked = new Map<string, string>()
  readonly #assumed: string[] = []

  constructor(given: Readonly<Record<string, unknown>>, { terminal }: { terminal: Terminal | null }) {
    this.#given = given
    this.#terminal = terminal
  }

  /** @throws {ImportError} `bad-answer` where the file is no mapping */
  static async read(file: string | undefined): Promise<GivenAnswers> {
    if (file === undefined) {
      const isTerminal = process.stdin.isTTY && process.stdout.isTTY
      return new GivenAnswers({}, { terminal: isTerminal ? new Terminal() : null })
    }
    let content: unknown
    try {
      content = parse(await readFile(file, 'utf8')) ?? {}
    } catch (error) {
      throw new ImportError('bad-answer', `${file}: ${messageOf(error)}`, { cause: error })
    }
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new ImportError('bad-answer', `${file}: a mapping of questions to answers is expected`)
    return new GivenAnswers(content as Record<string, unknown>, { terminal: null })
  }

  given(id: string): unknown {
    if (Object.hasOwn(this.#given, id)) this.#asked.set(id, 'as the file says')
    return this.#given[id]
  }

  async text(question: Question): Promise<string> {
    const { id } = question
    const answer = await this.#answer(question)
    this.#asked.set(id, answer)
    return answer
  }

  async #answer(question: Question): Promise<string> {
    const { id } = question
    const given = this.#given[id]
    if (given === undefined || given === null) {
      if (this.#terminal) return await this.#terminal.ask(question)
      if (question.default === undefined)
        throw new ImportError('bad-answer', `${id}: an answer is needed: ${question.text}`)
      if (!question.isKnown) this.#assumed.push(id)
      return question.default
    }
    const answer = textOf(id, given)
    const fault = faultIn(question, answer)
    if (fault !== null) throw new ImportError('bad-answer', `${id}: "${answer}": ${fault}`)
    return answer
  }

  /** The questions that nobody answered, and whose default was taken. */
  get assumed(): readonly string[] {
    return this.#assumed
  }

  /** Lets go of the terminal. */
  close(): void {
    this.#terminal?.close()
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

/** A person at a terminal. Lines that are typed or pasted ahead wait for their question. */
export class Terminal {
  readonly #output: NodeJS.WritableStream
  readonly #lines: Interface
  readonly #typed: AsyncIterator<string>

  constructor(input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stdout) {
    this.#output = output
    this.#lines = createInterface({ input, output })
    this.#typed = this.#lines[Symbol.asyncIterator]()
  }

  /**
   * Asks until the answer is right.
   * @throws {ImportError} `cancelled` where the person ends it
   */
  async ask(question: Question): Promise<string> {
    const { text, choices, default: otherwise } = question
    const options = choices ? ` (${choices.join(' | ')})` : ''
    for (;;) {
      this.#lines.setPrompt(`${text}${options}${otherwise === undefined ? '' : ` [${otherwise}]`}: `)
      this.#lines.prompt()
      const { done, value } = await this.#typed.next()
      if (done) throw new ImportError('cancelled', 'cancelled: nothing was written')
      const taken = value.trim() === '' ? otherwise : value.trim()
      const fault = taken === undefined ? 'an answer is needed' : faultIn(question, taken)
      if (taken !== undefined && fault === null) return taken
      this.#output.write(`${fault}\n`)
    }
  }

  close(): void {
    this.#lines.close()
  }
}
