import { chip, duration, h, icon, moment, plural } from './dom.js'
import { shortPipeline } from './findings.js'

/** The viewer's address for a study; with a result's series its overlay is shown at once. */
export function viewerLink(timeline, seriesInstanceUID) {
  const query = new URLSearchParams({ StudyInstanceUIDs: timeline.studyInstanceUID })
  if (seriesInstanceUID) query.set('initialSeriesInstanceUID', seriesInstanceUID)
  return `/viewer?${query}`
}

/** One stage of the flow: a sign on the line, a title, and what happened there. */
function stage(name, sign, title, state, ...content) {
  return h(
    'article',
    { class: `stage ${state}` },
    h('span', { class: 'sign' }, icon(sign)),
    h('div', { class: 'stage-body' }, h('h2', {}, h('span', {}, name), title), content),
  )
}

export function arrivals({ arrivals: list }) {
  const sum = list.reduce((total, arrival) => total + arrival.instances, 0)
  const series = new Set(list.map((arrival) => arrival.seriesInstanceUID)).size
  return stage(
    'Received',
    'receive',
    `${plural(sum, 'instance')} in ${plural(series, 'series', 'series')}`,
    list.length > 0 ? 'good' : 'waiting',
    h(
      'ul',
      { class: 'rows' },
      list.map((arrival) =>
        h(
          'li',
          {},
          moment(arrival.at),
          h('span', {}, 'from ', h('b', {}, arrival.from)),
          h(
            'span',
            {},
            plural(arrival.instances, 'instance'),
            arrival.identical > 0 && `, ${arrival.identical} sent again unchanged`,
            arrival.replaced > 0 && h('span', { class: 'warn' }, `, ${arrival.replaced} replaced with other bytes`),
          ),
          h(
            'span',
            { class: 'uid', title: arrival.seriesInstanceUID },
            `series …${arrival.seriesInstanceUID.slice(-14)}`,
          ),
        ),
      ),
    ),
  )
}

export function completion({ revisions }) {
  const [newest] = revisions
  if (!newest) return stage('Complete', 'complete', 'Not yet: instances may still come', 'waiting')
  const title =
    revisions.length === 1
      ? `with ${plural(newest.instances, 'instance')}`
      : `Revision ${newest.revision}, with ${plural(newest.instances, 'instance')}`
  return stage(
    'Complete',
    'complete',
    title,
    'good',
    h(
      'ul',
      { class: 'rows' },
      revisions.map((one) =>
        h(
          'li',
          {},
          moment(one.at),
          revisions.length > 1 && h('span', {}, `revision ${one.revision}, ${plural(one.instances, 'instance')}`),
          h('span', {}, one.reason),
        ),
      ),
    ),
  )
}

export function routes({ decisions, completion: complete, revision }) {
  const now = decisions.filter((decision) => decision.revision === revision)
  const before = decisions.filter((decision) => decision.revision !== revision)
  const matched = now.filter((decision) => decision.matched).length
  const title =
    now.length > 0
      ? `${matched} of ${plural(now.length, 'route')} matched`
      : complete
        ? 'No route has been asked yet'
        : 'After completion'
  return stage(
    'Routed',
    'route',
    title,
    now.length === 0 ? 'waiting' : matched > 0 ? 'good' : 'idle',
    now.map(verdict),
    before.length > 0 &&
      h('details', {}, h('summary', {}, `Verdicts on earlier revisions (${before.length})`), before.map(verdict)),
  )
}

function verdict(decision) {
  return h(
    'div',
    { class: 'box' },
    h(
      'div',
      { class: 'box-head' },
      h('b', {}, decision.route),
      chip(decision.matched ? 'matched' : 'unmatched', decision.matched ? 'matched' : 'not matched'),
      h('span', { class: 'muted' }, `version ${decision.routeVersion}`),
    ),
    h('p', {}, decision.reason),
    h('code', { class: 'expression' }, decision.expression),
    values(decision.because),
    Object.keys(decision.series).length > 0 &&
      h(
        'dl',
        { class: 'values' },
        Object.entries(decision.series).map(([input, uid]) => [
          h('dt', {}, `input ${input}`),
          h('dd', { class: 'uid' }, uid),
        ]),
      ),
  )
}

/** The values that decided: as they were, in the rule's own names. */
function values(because) {
  const entries = Object.entries(because)
  if (entries.length === 0) return null
  return h(
    'dl',
    { class: 'values' },
    entries.map(([name, value]) => [
      h('dt', {}, name),
      h('dd', {}, value === null ? h('i', {}, 'absent') : typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  )
}

function job(one, { operator, act, several }) {
  const state = one.refused ? 'refused' : one.state
  return h(
    'div',
    { class: 'box' },
    h(
      'div',
      { class: 'box-head' },
      h(
        'b',
        { title: one.pipeline },
        one.kind === 'deliver' ? `Delivery to ${one.destination}` : shortPipeline(one.pipeline),
      ),
      chip(state),
      one.shadow && h('span', { class: 'muted' }, 'shadow'),
      several && h('span', { class: 'muted' }, `revision ${one.revision}`),
      operator &&
        one.state === 'failed' &&
        h('button', { type: 'button', class: 'small', onclick: act(`/jobs/${one.id}/retry`) }, icon('retry'), 'Retry'),
    ),
    one.error && h('p', { class: one.state === 'failed' && !one.refused ? 'reason bad' : 'reason' }, one.error),
    one.state === 'queued' &&
      one.attempts.length > 0 &&
      h('p', { class: 'muted' }, 'Next attempt at ', moment(one.runAfter)),
    one.attempts.length > 0 &&
      h(
        'ul',
        { class: 'rows' },
        one.attempts.map((attempt, index) =>
          h(
            'li',
            {},
            moment(attempt.at),
            h('span', {}, `attempt ${index + 1}`, attempt.provider && ` on ${attempt.provider}`),
            h('span', {}, duration(attempt.ms)),
            attempt.error && attempt.error !== one.error && h('span', { class: 'bad' }, attempt.error),
          ),
        ),
      ),
  )
}

function tally(jobs) {
  const words = jobs.map((one) => (one.refused ? 'refused' : one.state))
  return [...new Set(words)].map((word) => `${words.filter((other) => other === word).length} ${word}`).join(', ')
}

export function inference(timeline, page) {
  const all = timeline.jobs.filter((one) => one.kind === 'infer')
  // Shadows are listed, and have no part in how the study is.
  const jobs = all.filter((one) => !one.shadow)
  const count = (state) => jobs.filter((one) => one.state === state).length
  const failed = jobs.some((one) => one.state === 'failed' && !one.refused)
  const state = failed
    ? 'failed'
    : jobs.every((one) => one.refused)
      ? 'refused'
      : count('running') + count('queued') > 0
        ? 'busy'
        : count('done') > 0
          ? 'good'
          : 'idle'
  const title =
    jobs.length > 0 ? tally(jobs) : timeline.decisions.length > 0 ? 'No pipeline was asked for' : 'After routing'
  return stage(
    'Inferred',
    'infer',
    title,
    jobs.length > 0 ? state : timeline.decisions.length > 0 ? 'idle' : 'waiting',
    all.map((one) => job(one, page)),
  )
}

export function results(timeline, superseded, page) {
  const shadows = timeline.results.filter((result) => result.shadow)
  const current = timeline.results.filter((result) => !result.shadow && !superseded.has(result.sopInstanceUID))
  const old = timeline.results.filter((result) => !result.shadow && superseded.has(result.sopInstanceUID))
  const deliveries = current.flatMap((result) => result.deliveries)
  const verified = deliveries.filter((delivery) => delivery.state === 'verified').length
  const troubled = timeline.jobs.filter((one) => one.kind === 'deliver' && (one.state === 'failed' || one.error))
  const failed = [...deliveries, ...troubled].some((one) => one.state === 'failed')
  const coming =
    timeline.completion === null ||
    timeline.jobs.some((one) => one.kind === 'infer' && !one.shadow && ['queued', 'running'].includes(one.state))
  const state =
    current.length === 0
      ? coming
        ? 'waiting'
        : 'idle'
      : failed
        ? 'failed'
        : verified === deliveries.length
          ? 'good'
          : 'busy'
  const title =
    current.length > 0
      ? `${verified} of ${plural(deliveries.length, 'delivery', 'deliveries')} verified`
      : coming
        ? 'After inference'
        : 'Nothing to deliver'
  return stage(
    'Delivered',
    'deliver',
    title,
    state,
    current.map((result) => resultBox(timeline, result, h('span', { class: 'unverified' }, 'unverified AI result'))),
    troubled.map((one) => job(one, page)),
    old.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, `Superseded by a later revision (${old.length})`),
        old.map((result) =>
          resultBox(timeline, result, h('span', { class: 'muted' }, `superseded, of revision ${result.revision}`)),
        ),
      ),
    shadows.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, `Of shadow routes, not delivered (${shadows.length})`),
        h(
          'ul',
          { class: 'rows' },
          shadows.map((result) =>
            h(
              'li',
              {},
              h('span', { class: 'tag' }, result.modality),
              h('span', {}, `${result.role} by ${shortPipeline(result.pipeline)}`),
            ),
          ),
        ),
      ),
  )
}

function resultBox(timeline, result, mark) {
  return h(
    'div',
    { class: 'box' },
    h(
      'div',
      { class: 'box-head' },
      h('span', { class: 'tag' }, result.modality),
      h('b', {}, result.role),
      mark,
      h('a', { class: 'small', href: viewerLink(timeline, result.seriesInstanceUID) }, icon('open'), 'Open in viewer'),
    ),
    h('p', { class: 'uid' }, result.sopInstanceUID),
    h(
      'ul',
      { class: 'deliveries' },
      result.deliveries.map((delivery) =>
        h(
          'li',
          {},
          h('b', {}, delivery.destination),
          chip(delivery.state),
          h(
            'span',
            { class: delivery.state === 'failed' ? 'proof bad' : 'proof' },
            (delivery.state === 'verified' ? delivery.proof : (delivery.error ?? delivery.proof)) ?? '',
          ),
        ),
      ),
    ),
  )
}

export function notes({ events }) {
  if (events.length === 0) return []
  return [
    stage(
      'Noted',
      'note',
      plural(events.length, 'remark'),
      'idle',
      h(
        'ul',
        { class: 'rows' },
        events.map((event) => h('li', {}, moment(event.at), h('span', {}, event.sentence))),
      ),
    ),
  ]
}
