import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { GivenAnswers, Terminal } from '../../../src/commands/pipeline-answers.ts'
import { askAxes, askModality, askNumbers, choose } from '../../../src/infer/import/question.ts'

const kind = { id: 'kind', text: 'What it does', default: 'images', choices: ['images', 'classes'] } as const

/** A person who types lines, and what is shown to them. */
function person(typed: string) {
  const input = new PassThrough()
  const output = new PassThrough()
  const shown: string[] = []
  output.on('data', (chunk) => shown.push(String(chunk)))
  input.end(typed)
  const answers = new GivenAnswers({}, { terminal: new Terminal(input, output) })
  return { answers, shown: () => shown.join('') }
}

describe('a person at a terminal', () => {
  it('is asked again until the answer is right; lines that were pasted at once are one answer each', async () => {
    const { answers, shown } = person('clases\nclasses\n\n1.5,1.5\n1.5 1.5 2\nRAA\nlps\nCR; DX\ncr, dx\n')
    expect(await choose(answers, kind)).toBe('classes')
    expect(await choose(answers, { ...kind, id: 'again' })).toBe('images')
    expect(await askNumbers(answers, { id: 'spacing', text: 'Spacing' }, { counts: [1, 3] })).toEqual([1.5, 1.5, 2])
    expect(await askAxes(answers)).toBe('LPS')
    expect(await askModality(answers, { text: 'Modality' })).toEqual(['CR', 'DX'])
    answers.close()
    expect(shown()).toContain('one of images, classes is expected (did you mean "classes"?)')
    expect(shown()).toContain('1 or 3 numbers above 0 are expected')
    expect(shown()).toContain('three letters as RAS or LPS are expected, or none')
    expect(shown()).toContain('a modality as DICOM writes it is expected')
    expect(answers.assumed).toEqual([])
  })

  it('may end it: nothing is made then', async () => {
    const { answers } = person('')
    await expect(choose(answers, kind)).rejects.toThrow('cancelled: nothing was written')
  })
})

describe('answers without a terminal', () => {
  it('are the defaults, of which guesses are known', async () => {
    const answers = new GivenAnswers({ modality: 'mr' }, { terminal: null })
    expect(await choose(answers, kind)).toBe('images')
    expect(await choose(answers, { ...kind, id: 'sure', isKnown: true })).toBe('images')
    expect(await askModality(answers, { text: 'Modality' })).toBe('MR')
    expect(await askAxes(answers)).toBe('RAS')
    expect(answers.assumed).toEqual(['kind', 'axes'])
    await expect(answers.text({ id: 'layout', text: 'The layout' })).rejects.toThrow(
      'layout: an answer is needed: The layout',
    )
  })
})
