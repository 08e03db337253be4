import { Button, Skeleton } from '@mantine/core'
import { IconBrain, IconUpload } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { PipelineVersion } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { plural } from '../../words.ts'
import { FewFigures } from './few-figures.tsx'
import './pipelines.css'

/** What is installed: a card for each pipeline, with what it is for, what it must not be used for, and what it did. */
export function PipelinesPage() {
  const query = useApi('GET /pipelines')
  const may = useMay()
  return (
    <Page
      title="Pipelines"
      lead="What can be run on studies. Routes say on which."
      actions={
        may('POST /pipelines/uploads') && (
          <Button component={Link} href="/install-pipeline" leftSection={<IconUpload size={16} aria-hidden />}>
            Install a pipeline
          </Button>
        )
      }
    >
      <Answer query={query} skeleton={<Skeleton height={460} radius="lg" />}>
        {({ pipelines }) => {
          const names = [...new Set(pipelines.map(({ name }) => name))]
          return names.length === 0 ? (
            <div className="panel">
              <Empty icon={IconBrain} title="No pipeline is installed">
                Upload one: a pipeline’s folder, an ONNX file, a MONAI bundle or a model of nnU-Net.
              </Empty>
            </div>
          ) : (
            <ul className="pipelines">
              {names.map((name) => (
                <Card key={name} versions={pipelines.filter((one) => one.name === name)} />
              ))}
            </ul>
          )
        }}
      </Answer>
    </Page>
  )
}

function Card({ versions }: { versions: readonly PipelineVersion[] }) {
  const shown = versions.find(({ isDefault }) => isDefault) ?? versions[0]
  if (!shown) return null
  const { name, title, version, description, limits, demonstrator, enabled } = shown
  const used = [...new Set(versions.flatMap(({ usedBy }) => usedBy.map(({ route }) => route)))]
  return (
    <li className="panel pipelines-card">
      <div className="pipelines-head">
        <h2>
          <Link href={`/pipelines/${name}`}>{title}</Link>
        </h2>
        {!enabled && <StateBadge state="disabled" label="Switched off" />}
        {demonstrator && <StateBadge state="warning" label="Demonstration" />}
      </div>
      <p>{description}</p>
      <details className="pipelines-limits">
        <summary>Limits</summary>
        <p>{limits}</p>
      </details>
      <FewFigures name={name} />
      <div className="pipelines-foot muted">
        <span>
          Version {version}
          {versions.length > 1 && `, and ${plural(versions.length - 1, 'older one', 'older ones')}`}
        </span>
        <span>{used.length === 0 ? 'No route uses it' : `Used by ${plural(used.length, 'route')}`}</span>
      </div>
    </li>
  )
}
