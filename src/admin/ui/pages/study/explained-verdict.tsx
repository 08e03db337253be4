import { Skeleton } from '@mantine/core'
import { useEffect } from 'react'
import type { Decision, ExplainedRoute, Timeline } from '../../api/schema.ts'
import { useAct } from '../../api/use-api.ts'
import { explainedOf } from '../../parts/explained-condition.ts'
import { Explanation } from '../../parts/explanation.tsx'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { plural } from '../../words.ts'
import { knownSeriesName } from './names.ts'

/** A route's verdict on the study, condition by condition, and series by series for each input: asked when somebody opens it. */
export function ExplainedVerdict({
  decision: { route, routeVersion },
  timeline,
}: {
  decision: Decision
  timeline: Timeline
}) {
  const { mutate, data, error } = useAct('POST /routes/test', { changes: [] })
  const { studyInstanceUID } = timeline
  useEffect(() => {
    mutate({ path: {}, body: { studyInstanceUID, route, version: routeVersion, explain: [route] } })
  }, [mutate, studyInstanceUID, route, routeVersion])
  if (error) return <ProblemAlert error={error} title="It cannot be explained" />
  if (!data) return <Skeleton height={90} radius="sm" />
  const found = data.explanations.find((one) => one.route === route)
  if (!found) return <p className="study-quiet">This version of the route is not kept any more.</p>
  return (
    <>
      {found.when && <Explanation of={explainedOf(found.when)} label={`Conditions of ${route}`} />}
      {found.inputs.map((input) => (
        <Input key={input.name} input={input} timeline={timeline} />
      ))}
    </>
  )
}

function Input({ input, timeline }: { input: ExplainedRoute['inputs'][number]; timeline: Timeline }) {
  const nameOf = (uid: string) => knownSeriesName(timeline, uid)
  return (
    <div className="study-input">
      <h3>
        Input {input.name}
        {!input.required && <span className="muted"> (may be left out)</span>}
      </h3>
      <p className="study-line">
        <Sentence text={input.sentence} nameOf={nameOf} />
      </p>
      {input.series.map((series) => (
        <div key={series.seriesInstanceUID}>
          <span className="sub">
            {series.seriesDescription || 'Series without description'}
            {series.modality && ` · ${series.modality}`} · {plural(series.instances, 'instance')}
            {input.chosen.includes(series.seriesInstanceUID) && ' · taken'}
          </span>
          <Explanation
            of={explainedOf(series.condition)}
            label={`Conditions on ${series.seriesDescription ?? 'a series'}`}
          />
        </div>
      ))}
      {input.omitted > 0 && <p className="study-quiet">{plural(input.omitted, 'further series', 'further series')}.</p>}
    </div>
  )
}
