import { ImportError } from './error.ts'
import type { PlanStep } from './plan.ts'
import { type Answers, faultOfThrown, numbersOf } from './question.ts'

const help =
  'window CENTRE WIDTH | range LOW HIGH (to 0..1) | z-score | z-score-nonzero | min-max | percentiles LOW HIGH | voi | imagenet | divide NUMBER | suv | none'

/** Modalities of projections, whose header says how they are shown. */
const projections = ['CR', 'DX', 'MG', 'PX', 'IO', 'RF', 'XA']

export function isProjection(modality: string): boolean {
  return projections.includes(modality)
}

/** What is most common for a modality. */
function defaultIntensity(modality: string): string {
  if (modality === 'CT') return 'range -1000 1000'
  if (modality === 'PT') return 'suv'
  if (isProjection(modality)) return 'voi'
  return modality === 'MR' ? 'z-score' : 'min-max'
}

/** Asks how the numbers that the model was trained on were scaled. */
export async function askIntensity(answers: Answers, modality: string): Promise<PlanStep[]> {
  const text = await answers.text({
    id: 'intensity',
    text: `How values are scaled, as in training: ${help}`,
    default: defaultIntensity(modality),
    faultOf: (answer) => faultOfThrown(() => intensitySteps(answer)),
  })
  return intensitySteps(text)
}

/** @throws {ImportError} `bad-answer` */
export function intensitySteps(text: string): PlanStep[] {
  const [word = '', ...rest] = text.trim().split(/\s+/)
  const numbers = numbersOf(rest.join(' ')) ?? []
  const wrong = (): never => {
    throw new ImportError('bad-answer', `one of ${help} is expected`)
  }
  const two = (): [number, number] => (numbers.length === 2 ? (numbers as [number, number]) : wrong())
  switch (word) {
    case 'window': {
      const [centre, width] = two()
      return [{ step: 'window', options: { centre, width } }]
    }
    case 'range':
      return [{ step: 'scale-range', options: { from: two() } }]
    case 'z-score':
      return [{ step: 'z-score', options: { elsewhere: 'scaled' } }]
    case 'z-score-nonzero':
      return [{ step: 'z-score', options: { of: 'non-zero' } }]
    case 'min-max':
      return [{ step: 'scale-range' }]
    case 'percentiles':
      return [{ step: 'scale-range', options: { percentiles: two() } }]
    case 'voi':
      return [{ step: 'voi' }, { step: 'invert-monochrome1', options: { range: [0, 1] } }]
    case 'imagenet':
      return [
        { step: 'scale-range' },
        { step: 'repeat-channel' },
        { step: 'normalise', options: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } },
      ]
    case 'divide': {
      const [by] = numbers
      return by ? [{ step: 'scale', options: { factor: 1 / by } }] : wrong()
    }
    case 'suv':
      return [{ step: 'suv' }]
    case 'none':
      return []
    default:
      return wrong()
  }
}
