import type { Overview } from '../../api/schema.ts'
import { Bytes, TimeAgo } from '../../parts/figures.tsx'
import { StudyName } from '../../parts/study-name.tsx'
import { number, plural } from '../../words.ts'
import { Panel, Quiet } from './panel.tsx'

/** What arrives at this moment: open associations, and the studies that are not complete yet. */
export function ArrivingPanel({ arriving }: { arriving: Overview['arriving'] }) {
  const { associations, openAssociations, studies, receiving } = arriving
  return (
    <Panel title="Arriving" note={receiving > 0 ? plural(receiving, 'study', 'studies') : undefined}>
      {studies.length === 0 && associations.length === 0 && (
        <Quiet>Nothing arrives at this moment. A study appears here with its first instance.</Quiet>
      )}
      <ul className="overview-list">
        {studies.map((study) => (
          <li key={study.studyInstanceUID}>
            <span className="overview-grow">
              <StudyName study={study} />
            </span>
            <span className="nowrap">
              {study.modalities.join(', ')} {number(study.instances)}
            </span>
            <span className="muted">
              <TimeAgo at={study.lastInstanceAt} />
            </span>
          </li>
        ))}
      </ul>
      {associations.length > 0 && <h3>{plural(openAssociations, 'open association')}</h3>}
      <ul className="overview-list">
        {associations.map((one) => (
          <li key={one.association}>
            <span className="overview-grow">
              <b>{one.callingAETitle}</b> <span className="muted">from {one.address}</span>
            </span>
            <span className="nowrap">
              {plural(one.instances, 'instance')}, <Bytes of={one.bytes} />
            </span>
            <span className="muted">
              <TimeAgo at={one.lastAt ?? one.since} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
