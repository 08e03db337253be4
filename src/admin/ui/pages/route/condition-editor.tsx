import { useState } from 'react'
import { fromExpression } from '../../../../route/conditions/from-expression.ts'
import type { Condition, ConditionGroup } from '../../../../route/conditions/model.ts'
import { toExpression } from '../../../../route/conditions/to-expression.ts'
import type { RouteProblem } from '../../api/schema.ts'
import { CelEditor } from './cel-editor.tsx'
import { GroupEditor } from './group-editor.tsx'
import { asSentence, firstLine } from './route-words.ts'
import type { Scope } from './use-vocabulary.ts'

export interface ConditionEditorProps {
  label: string
  scope: Scope
  text: string
  problems: readonly RouteProblem[]
  readOnly: boolean
  onChange(text: string): void
}

const none: ConditionGroup = { kind: 'group', match: 'all', members: [] }

/** A condition as lines and as text beside each other: each changes the other. */
export function ConditionEditor({ label, scope, text, problems, readOnly, onChange }: ConditionEditorProps) {
  // Lines that are not finished are in no text: the lines are kept beside it.
  const [shown, setShown] = useState(() => ({ text, model: fromExpression(text) }))
  if (shown.text !== text) setShown({ text, model: fromExpression(text) })
  const changeLines = (model: ConditionGroup) => {
    const written = toExpression(finished(model))
    setShown({ text: written, model })
    if (written !== text) onChange(written)
  }
  const mistakes = problems.flatMap(({ line, column, expectation }) =>
    line !== null && column !== null ? [{ line, column, sentence: asSentence(firstLine(expectation)) }] : [],
  )
  return (
    <div className="route-condition">
      <fieldset disabled={readOnly} className="route-lines">
        <legend className="sr-only">{label}, as conditions</legend>
        {shown.model ? (
          <GroupEditor group={shown.model} scope={scope} onChange={changeLines} />
        ) : (
          <div className="route-textonly">
            {mistakes.length > 0 ? (
              <p>The text is not complete yet. Its conditions appear here as soon as it can be read.</p>
            ) : (
              <p>This condition says more than lines can show. It is changed in the text.</p>
            )}
            <button type="button" className="route-linklike" onClick={() => changeLines(none)}>
              Begin anew with lines
            </button>
          </div>
        )}
      </fieldset>
      <div className="route-text">
        <div className="route-text-head">
          <span>The same as text</span>
          <a href="https://cel.dev" target="_blank" rel="noreferrer">
            CEL
          </a>
        </div>
        <CelEditor
          label={`${label}, as text`}
          value={text}
          scope={scope}
          mistakes={mistakes}
          readOnly={readOnly}
          hint={scope === 'study' ? 'Every study' : 'series.Modality == "CT"'}
          onChange={onChange}
        />
      </div>
    </div>
  )
}

/** Without the lines that cannot be written yet: no field, or a value is missing. */
function finished(group: ConditionGroup): ConditionGroup {
  return { ...group, members: group.members.flatMap((member) => finishedMember(member)) }
}

function finishedMember(member: Condition): Condition[] {
  if (member.kind === 'group') return [finished(member)]
  if (member.kind === 'series') return [{ ...member, where: finished(member.where) }]
  const values = member.operator.endsWith('one-of') ? member.values.filter((value) => value !== '') : member.values
  const wanted =
    member.operator === 'exists' || member.operator === 'is-empty' ? 0 : member.operator === 'between' ? 2 : 1
  const isMany = member.operator.endsWith('one-of')
  const isWhole = isMany ? values.length > 0 : values.length === wanted && values.every((value) => value !== '')
  return member.field !== '' && isWhole ? [{ ...member, values }] : []
}
