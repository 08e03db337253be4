import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { Link, useSearchParams } from 'wouter'
import { addressOf } from '../../api/call.ts'
import type { PipelineCard, PipelineVersion } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { useConfirm } from '../../parts/confirm.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { sopClassName } from '../../parts/dicom-names.ts'
import { Bytes, TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, number, plural, unitName } from '../../words.ts'
import { Readme } from './readme.tsx'
import { Statistics } from './statistics.tsx'
import './pipeline.css'

const back = { href: '/pipelines', label: 'Pipelines' }

/** One pipeline: its versions, and of one of them the whole card. */
export function PipelinePage({ name }: { name: string }) {
  const query = useApi('GET /pipelines')
  const [search, setSearch] = useSearchParams()
  const versions = (query.data?.pipelines ?? []).filter((one) => one.name === name)
  const shown =
    versions.find(({ version }) => version === search.get('version')) ??
    versions.find(({ isDefault }) => isDefault) ??
    versions[0]
  return (
    <Page
      title={shown?.title ?? name}
      back={back}
      lead={shown?.description ?? ' '}
      mark={
        shown && (
          <>
            {shown.enabled ? (
              <StateBadge state="active" label={shown.isDefault ? 'In use' : 'Enabled'} />
            ) : (
              <StateBadge state="disabled" label="Switched off" />
            )}
            {shown.demonstrator && <StateBadge state="warning" label="Demonstration" />}
          </>
        )
      }
      actions={
        shown && (
          <>
            {versions.length > 1 && (
              <NativeSelect
                aria-label="Version"
                value={shown.version}
                onChange={(event) => setSearch({ version: event.currentTarget.value }, { replace: true })}
                data={versions.map(({ version, isDefault, enabled }) => ({
                  value: version,
                  label: `Version ${version}${isDefault ? ', the newest' : ''}${enabled ? '' : ', off'}`,
                }))}
              />
            )}
            <OnOff version={shown} />
          </>
        )
      }
    >
      <Answer query={query} skeleton={<Skeleton height={520} radius="lg" />}>
        {() =>
          shown ? (
            <Version version={shown} />
          ) : (
            <div className="panel">
              <Empty title="No such pipeline is installed" />
            </div>
          )
        }
      </Answer>
    </Page>
  )
}

function OnOff({ version: { name, version, title, enabled, usedBy } }: { version: PipelineVersion }) {
  const may = useMay()
  const confirm = useConfirm()
  const on = useAct('POST /pipelines/{name}/versions/{version}/enable')
  const off = useAct('POST /pipelines/{name}/versions/{version}/disable')
  const path = { name, version }
  if (!may('POST /pipelines/{name}/versions/{version}/disable')) return null
  const enable = () =>
    on.mutate(
      { path },
      {
        onSuccess: () => toastDone(`${title} ${version} can be run again.`),
        onError: (error) => toastFailed('It is still switched off', error),
      },
    )
  const disable = async () => {
    const yes = await confirm({
      title: `Switch ${title} ${version} off?`,
      text: `Nothing runs it any more. Routes that name no version take the newest that is left; routes that name this one fail.${
        usedBy.length > 0 ? ` It is used by ${usedBy.map(({ route }) => route).join(', ')}.` : ''
      }`,
      confirm: 'Switch it off',
      danger: true,
    })
    if (yes)
      off.mutate(
        { path, body: {} },
        {
          onSuccess: () => toastDone(`${title} ${version} is switched off.`, enable),
          onError: (error) => toastFailed('It is still switched on', error),
        },
      )
  }
  return enabled ? (
    <Button variant="default" loading={off.isPending} onClick={() => void disable()}>
      Switch off…
    </Button>
  ) : (
    <Button loading={on.isPending} onClick={enable}>
      Switch on
    </Button>
  )
}

function Version({ version: one }: { version: PipelineVersion }) {
  const path = { name: one.name, version: one.version }
  const card = useApi('GET /pipelines/{name}/versions/{version}', { path })
  return (
    <div className="pipeline-columns">
      <div className="pipeline-main">
        {one.disabled && (
          <div className="problem tone-warn" role="status">
            <div className="problem-words">
              <strong>
                Switched off by {actorName(one.disabled.by)}, <TimeAgo at={one.disabled.at} />
              </strong>
              {one.disabled.reason && <div>{one.disabled.reason}</div>}
            </div>
          </div>
        )}
        <section className="panel pipeline-section" aria-labelledby="purpose-title">
          <h2 id="purpose-title">What it is for</h2>
          <p>{one.intendedUse}</p>
          <h3>Limits</h3>
          <p>{one.limits}</p>
        </section>
        <Statistics name={one.name} />
        <Answer query={card} skeleton={<Skeleton height={320} radius="lg" />}>
          {(details) => (
            <>
              {details.evaluation && <Evaluation card={details} />}
              {details.readme && (
                <section className="panel pipeline-section" aria-labelledby="readme-title">
                  <h2 id="readme-title">README</h2>
                  <Readme text={details.readme} />
                </section>
              )}
            </>
          )}
        </Answer>
      </div>
      <div className="pipeline-aside">
        <section className="panel pipeline-section" aria-labelledby="used-title">
          <h2 id="used-title">Routes that use it</h2>
          {one.usedBy.length === 0 && <p className="muted">None.</p>}
          <ul className="pipeline-list">
            {one.usedBy.map(({ route, as, fraction }) => (
              <li key={`${route} ${as}`}>
                <Link href={`/routes/${route}`}>{route}</Link>
                {as === 'shadow' && <StateBadge state="shadow" />}
                {as === 'canary' && <StateBadge state="shadow" label={`Canary ${number(100 * fraction, 1)} %`} />}
                {as === 'pipeline' && fraction < 1 && (
                  <span className="muted">{number(100 * fraction, 1)} % of the studies</span>
                )}
              </li>
            ))}
          </ul>
        </section>
        <Answer query={card} skeleton={<Skeleton height={420} radius="lg" />}>
          {(details) => <Facts card={details} />}
        </Answer>
      </div>
    </div>
  )
}

function Evaluation({ card: { name, version, evaluation } }: { card: PipelineCard }) {
  if (!evaluation) return null
  const { at, compared, refused, failed, figures, ofThisVersion, report } = evaluation
  return (
    <section className="panel pipeline-section" aria-labelledby="evaluation-title">
      <div className="section-head">
        <h2 id="evaluation-title">Evaluation</h2>
        <span className="muted">
          {plural(compared, 'case')} with a reference, <TimeAgo at={at} />
        </span>
        {report && (
          <Button
            component="a"
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
            href={addressOf('GET /pipelines/{name}/versions/{version}/evaluation', { path: { name, version } })}
          >
            The report
          </Button>
        )}
      </div>
      {!ofThisVersion && <p className="pipeline-warn">It was made with other files than those that are installed.</p>}
      {(refused > 0 || failed > 0) && (
        <p className="muted">
          {number(refused)} refused, {number(failed)} failed.
        </p>
      )}
      <table className="pipeline-table">
        <tbody>
          {figures.map(({ of, metric, value, low, high }) => (
            <tr key={`${of} ${metric}`}>
              <th scope="row">{of}</th>
              <td>{metric}</td>
              <td>
                {number(value, 3)}
                {low !== null && high !== null && (
                  <span className="muted">
                    {' '}
                    ({number(low, 3)} to {number(high, 3)})
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Facts({ card }: { card: PipelineCard }) {
  const { inputs, measurements, segments, outputs, files, manifest, digest, version, manufacturer, firstSeenAt } = card
  return (
    <>
      <section className="panel pipeline-section" aria-labelledby="inputs-title">
        <h2 id="inputs-title">What it takes</h2>
        {inputs.map(({ name, declared }) => (
          <div key={name}>
            <h3>Series “{name}”</h3>
            <ul className="pipeline-plain">
              {declared.map((sentence) => (
                <li key={sentence}>{withNames(sentence)}</li>
              ))}
            </ul>
          </div>
        ))}
      </section>
      <section className="panel pipeline-section" aria-labelledby="gives-title">
        <h2 id="gives-title">What it gives</h2>
        {measurements.length > 0 && (
          <>
            <h3>Measurements</h3>
            <ul className="pipeline-plain">
              {measurements.map(({ name, unit, of }) => (
                <li key={`${name} ${of}`}>
                  {name} {unitName(unit) !== '' && <span className="muted">{unitName(unit)}</span>}
                </li>
              ))}
            </ul>
          </>
        )}
        {segments.length > 0 && (
          <>
            <h3>Segments</h3>
            <ul className="pipeline-plain">
              {segments.map(({ label, colour }) => (
                <li key={label}>
                  <span className="pipeline-colour" style={{ background: `rgb(${colour.join(' ')})` }} aria-hidden />
                  {label}
                </li>
              ))}
            </ul>
          </>
        )}
        <h3>Objects</h3>
        <ul className="pipeline-plain">
          {outputs.map(({ id, kind, title }) => (
            <li key={id}>{title || kind.replaceAll('-', ' ')}</li>
          ))}
        </ul>
      </section>
      <section className="panel pipeline-section" aria-labelledby="details-title">
        <h2 id="details-title">Details</h2>
        <dl className="pipeline-details">
          <dt>Version</dt>
          <dd>{version}</dd>
          <dt>Manufacturer</dt>
          <dd>{manufacturer}</dd>
          <dt>Digest</dt>
          <dd>
            <Copyable value={digest} label="digest" name={digest.replace('sha256:', '').slice(0, 12)} />
          </dd>
          {firstSeenAt && (
            <>
              <dt>Here since</dt>
              <dd>
                <TimeAgo at={firstSeenAt} />
              </dd>
            </>
          )}
          {files.map(({ name, bytes }) => (
            <div key={name} className="pipeline-file">
              <dt>{name}</dt>
              <dd>
                <Bytes of={bytes} />
              </dd>
            </div>
          ))}
        </dl>
        <details>
          <summary>The manifest</summary>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys */}
          <pre className="pipeline-manifest" tabIndex={0}>
            {manifest}
          </pre>
        </details>
      </section>
    </>
  )
}

/** SOP classes by their names, and names of elements as words: `sliceThickness at most 3` is "slice thickness at most 3". */
function withNames(sentence: string): string {
  return sentence
    .replaceAll(/\b\d+(?:\.\d+){5,}\b/g, (uid) => sopClassName(uid) ?? uid)
    .replace('sopClasses', 'SOP class')
    .replace(/^[a-z]+(?:[A-Z][a-z]+)+/, (name) => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
}
