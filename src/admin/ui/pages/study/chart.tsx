import type { Timeline } from '../../api/schema.ts'
import type { Tone } from '../../parts/state-badge.tsx'
import { destinationName, duration, exactly, number, pipelineName, plural } from '../../words.ts'
import { arrivalsBySeries, resultName, seriesName } from './names.ts'
import { type Span, timeScale } from './time-scale.ts'
import './chart.css'

interface Bar extends Span {
  tone: Tone
  /** What it was, when and how long: to hover over, and for screen readers. */
  title: string
}

interface Lane {
  key: string
  label: string
  /** Beside the label: an amount. */
  note: string
  bars: Bar[]
}

/** What happened when: arrivals by series, completion, pipelines with their attempts, deliveries; to scale, with pauses cut short. */
export function TimeChart({ timeline, now }: { timeline: Timeline; now: number }) {
  const lanes = lanesOf(timeline, now)
  const marks = timeline.revisions.map(({ at, reason, revision }) => ({ at: Date.parse(at), reason, revision }))
  const spans = [...lanes.flatMap(({ bars }) => bars), ...marks.map(({ at }) => ({ from: at, to: at }))]
  if (spans.length === 0) return null
  const { place, breaks, ticks } = timeScale(spans)
  const start = Math.min(...spans.map(({ from }) => from))
  const x = (at: number) => `${(place(at) * 100).toFixed(2)}%`
  return (
    <div className="chart-frame" role="group" aria-label="What happened when">
      <div className="chart-lanes">
        {lanes.map(({ key, label, note, bars }) => (
          <div key={key} className="chart-lane">
            <div className="chart-label" title={label}>
              <span>{label}</span> <small>{note}</small>
            </div>
            <div className="chart-track">
              {bars.map((bar) => (
                <span
                  key={`${bar.from} ${bar.title}`}
                  className={`chart-bar tone-${bar.tone}`}
                  role="img"
                  aria-label={bar.title}
                  title={bar.title}
                  style={{
                    left: x(bar.from),
                    width: `max(7px, ${((place(bar.to) - place(bar.from)) * 100).toFixed(2)}%)`,
                  }}
                />
              ))}
            </div>
          </div>
        ))}
      </div>
      <div className="chart-lane chart-over" aria-hidden>
        <div className="chart-label" />
        <div className="chart-track">
          {breaks.map(({ from, to, ms }) => (
            <span key={from} className="chart-break" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }}>
              <span>{duration(ms)}</span>
            </span>
          ))}
          {marks.map(({ at, reason, revision }) => (
            <span key={revision} className="chart-mark" style={{ left: x(at) }} title={`Complete: ${reason}`} />
          ))}
        </div>
      </div>
      <div className="chart-lane chart-axis" aria-hidden>
        <div className="chart-label" />
        <div className="chart-track">
          {ticks.map(({ place: at, at: time }) => (
            <span key={time} className="chart-tick" style={{ left: `${at * 100}%` }}>
              {time === start ? 'start' : `+ ${duration(time - start)}`}
            </span>
          ))}
        </div>
      </div>
    </div>
  )
}

function lanesOf(timeline: Timeline, now: number): Lane[] {
  return [...arrivalLanes(timeline), ...jobLanes(timeline, now), ...deliveryLanes(timeline)]
}

/** More series than this are one lane: a picture with a hundred lanes tells nothing. */
const mostSeries = 8

function arrivalLanes({ arrivals }: Timeline): Lane[] {
  const bySeries = arrivalsBySeries(arrivals)
  const barsOf = (some: Timeline['arrivals']): Bar[] =>
    some.map((arrival) => ({
      from: Date.parse(arrival.at),
      to: Date.parse(arrival.until),
      tone: 'busy',
      title: `${seriesName(arrival)}: ${plural(arrival.instances, 'instance')} from ${arrival.from}, ${exactly(arrival.at)}`,
    }))
  if (bySeries.size > mostSeries)
    return [
      {
        key: 'arrivals',
        label: plural(bySeries.size, 'series', 'series'),
        note: number(sum(arrivals)),
        bars: barsOf(arrivals),
      },
    ]
  return [...bySeries].map(([uid, some]) => ({
    key: uid,
    label: some[0] ? seriesName(some[0]) : 'Series',
    note: number(sum(some)),
    bars: barsOf(some),
  }))
}

function sum(arrivals: Timeline['arrivals']): number {
  return arrivals.reduce((total, { instances }) => total + instances, 0)
}

function jobLanes({ jobs }: Timeline, now: number): Lane[] {
  return jobs
    .filter(({ kind }) => kind === 'infer')
    .toReversed()
    .map((job) => {
      const name = pipelineName(job.pipeline)
      const bars: Bar[] = job.attempts.map(({ at, ms, error }, index) => {
        const from = Date.parse(at)
        const isLast = index === job.attempts.length - 1
        const to = ms === null ? (job.state === 'running' && isLast ? now : from) : from + ms
        const tone = error !== null ? (job.refused ? 'warn' : 'bad') : ms === null ? 'busy' : 'good'
        return { from, to, tone, title: `${name}, attempt ${index + 1}: ${error ?? 'done'}, ${duration(to - from)}` }
      })
      return {
        key: job.id,
        label: name,
        note: job.shadow ? 'shadow' : job.revision > 1 ? `revision ${job.revision}` : '',
        bars,
      }
    })
}

function deliveryLanes({ jobs, results }: Timeline): Lane[] {
  const destinations = new Set(results.flatMap(({ deliveries }) => deliveries.map(({ destination }) => destination)))
  return [...destinations].map((destination) => ({
    key: `to ${destination}`,
    label: `To ${destinationName(destination, 'inside')}`,
    note: '',
    bars: [
      ...jobs
        .filter((job) => job.kind === 'deliver' && job.destination === destination)
        .flatMap(({ attempts }) =>
          attempts.map(({ at, ms, error }): Bar => {
            const from = Date.parse(at)
            const what = error ?? 'delivered'
            return {
              from,
              to: from + (ms ?? 0),
              tone: error === null ? 'good' : 'bad',
              title: `${destination}: ${what}, ${exactly(at)}`,
            }
          }),
        ),
      ...results.flatMap((result) =>
        result.deliveries
          .filter((delivery) => delivery.destination === destination && delivery.state === 'verified')
          .map(({ at }): Bar => {
            const moment = Date.parse(at)
            return {
              from: moment,
              to: moment,
              tone: 'good',
              title: `${resultName(result)} verified at ${destination}, ${exactly(at)}`,
            }
          }),
      ),
    ],
  }))
}
