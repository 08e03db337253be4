import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, type TablerIcon } from '@tabler/icons-react'
import { duration } from '../words.ts'
import './test-steps.css'

interface Step {
  step: string
  title: string
  outcome: 'passed' | 'failed' | 'warning' | 'skipped'
  ms: number
  sentence: string
  advice: string | null
}

const looks: Readonly<Record<Step['outcome'], { icon: TablerIcon; tone: string; word: string }>> = {
  passed: { icon: IconCircleCheck, tone: 'good', word: 'Passed' },
  failed: { icon: IconCircleX, tone: 'bad', word: 'Failed' },
  warning: { icon: IconAlertTriangle, tone: 'warn', word: 'Warning' },
  skipped: { icon: IconCircleDashed, tone: 'idle', word: 'Not tried' },
}

/** How a test went, step by step, with what may be done about what did not work. */
export function TestSteps({ ok, sentence, steps }: { ok: boolean; sentence: string; steps: readonly Step[] }) {
  return (
    <div className="test" role="status">
      <div className={`test-whole ${ok ? 'tone-good' : 'tone-bad'}`}>{sentence}</div>
      <ol className="test-steps">
        {steps.map(({ step, title, outcome, ms, sentence: seen, advice }) => {
          const { icon: Icon, tone, word } = looks[outcome]
          return (
            <li key={step} className={`tone-${tone}`}>
              <Icon size={18} className="test-sign" aria-label={word} role="img" />
              <div className="test-words">
                <b>{title}</b>
                {outcome !== 'skipped' && <span className="muted"> {duration(ms)}</span>}
                <div>{seen}</div>
                {advice && <div className="test-advice">{advice}</div>}
              </div>
            </li>
          )
        })}
      </ol>
    </div>
  )
}
