import { ImportError } from './error.ts'
import type { Answers, Question } from './question.ts'

/** A question with what is taken for an answer now; null where it has to be answered. */
export interface AskedQuestion extends Question {
  answer: string | null
}

/** Raised where a question has neither answer nor proposal: what follows from it is not known. */
export class AnswerNeeded extends Error {}

/** Answers that are given all at once: questions are listed as they are met, and may be answered the next time. */
export class ListedAnswers implements Answers {
  readonly #given: Readonly<Record<string, string>>
  readonly asked: AskedQuestion[] = []

  constructor(given: Readonly<Record<string, string>>) {
    this.#given = given
  }

  given(id: string): unknown {
    return this.#given[id]
  }

  text(question: Question): Promise<string> {
    const given = Object.hasOwn(this.#given, question.id) ? this.#given[question.id]?.trim() : undefined
    const answer = given || question.default
    this.asked.push({ ...question, answer: answer ?? null })
    if (answer === undefined) return Promise.reject(new AnswerNeeded(question.id))
    if (question.choices && !question.choices.includes(answer))
      return Promise.reject(
        new ImportError('bad-answer', `${question.id}: "${answer}": one of ${question.choices.join(', ')} is expected`),
      )
    return Promise.resolve(answer)
  }
}
