import { call, chip, dicomDate, duration, h, icon, moment, personName, plural, quantity, unitName } from './dom.js'

/** Sites that a pair of bars can be drawn for (SNOMED CT). */
const sides = { 'SCT:44029006': 'left', 'SCT:3341006': 'right' }

/**
 * The page of one study: what happened to it, and why.
 * @returns what to call when something has changed
 */
export function studyPage(studyInstanceUID, page) {
  const body = h('div', {}, page.skeleton())
  page.frame(h('a', { class: 'back', href: '/admin', onclick: page.follow }, icon('back'), 'Studies'), body)
  let shown = ''
  let asked = 0

  const load = async () => {
    const mine = ++asked
    try {
      const timeline = await call(`/studies/${studyInstanceUID}`)
      const now = JSON.stringify(timeline)
      // Drawing the same again would only take the focus and the selection away.
      if (mine !== asked || now === shown || !body.isConnected) return
      shown = now
      document.title = `${personName(timeline.patient.patientName)} · Hilum`
      body.replaceChildren(...studyView(timeline, { ...page, act, several: timeline.revisions.length > 1 }))
    } catch (error) {
      if (mine !== asked || !body.isConnected) return
      if (error.status === 401) return page.toLogin()
      shown = ''
      body.replaceChildren(page.problem(error, load))
    }
  }
  /** Does something on a button's behalf; a failure is said beside the button. */
  const act = (path) => async (event) => {
    const button = event.currentTarget
    button.disabled = true
    button.parentElement.querySelector('.failure')?.remove()
    try {
      await call(path, { method: 'POST' })
      await load()
    } catch (error) {
      button.after(h('span', { class: 'failure', role: 'alert' }, error.message))
    } finally {
      button.disabled = false
    }
  }
  load()
  return load
}

function studyView(timeline, page) {
  const superseded = new Set(timeline.results.map((result) => result.supersedes).filter(Boolean))
  const current = timeline.results.filter((result) => !superseded.has(result.sopInstanceUID))
  const overlay = current.find((result) => result.modality === 'SEG') ?? current[0]
  return [
    heading(timeline, overlay, page),
    h('div', { class: 'study' },
      h('section', { class: 'flow', 'aria-label': 'Timeline' },
        arrivals(timeline), completion(timeline), routes(timeline), inference(timeline, page), results(timeline, superseded, page), ...notes(timeline)),
      h('aside', {}, findings(timeline))),
  ]
}

function viewerLink(timeline, seriesInstanceUID) {
  const query = new URLSearchParams({ StudyInstanceUIDs: timeline.studyInstanceUID })
  if (seriesInstanceUID) query.set('initialSeriesInstanceUID', seriesInstanceUID)
  return `/viewer?${query}`
}

function heading(timeline, overlay, { operator, act }) {
  const { patient } = timeline
  const modalities = [...new Set(timeline.arrivals.map((arrival) => arrival.modality).filter(Boolean))]
  const born = [dicomDate(patient.patientBirthDate) && `born ${dicomDate(patient.patientBirthDate)}`, { M: 'male', F: 'female', O: 'other' }[patient.patientSex]]
  const facts = [patient.patientID && `ID ${patient.patientID}`, ...born, timeline.accessionNumber && `Accession ${timeline.accessionNumber}`].filter(Boolean)
  const study = [timeline.studyDescription || 'No description', dicomDate(timeline.studyDate), modalities.join(', '), plural(timeline.instances, 'instance')].filter(Boolean)
  const open = timeline.state === 'receiving' || timeline.completion === null
  return h('div', { class: 'heading study-heading' },
    h('div', {},
      h('h1', {}, personName(patient.patientName), chip(timeline.state)),
      h('p', { class: 'muted' }, facts.join(' · ')),
      h('p', {}, study.join(' · ')),
      h('p', { class: 'uid' }, timeline.studyInstanceUID)),
    h('div', { class: 'actions' },
      operator && open && h('button', { type: 'button', onclick: act(`/studies/${timeline.studyInstanceUID}/complete`) }, 'Complete now'),
      h('a', { class: 'primary', href: viewerLink(timeline, overlay?.seriesInstanceUID) }, icon('open'), 'Open in viewer')))
}

/** One stage of the flow: a sign on the line, a title, and what happened there. */
function stage(name, sign, title, state, ...content) {
  return h('article', { class: `stage ${state}` },
    h('span', { class: 'sign' }, icon(sign)),
    h('div', { class: 'stage-body' }, h('h2', {}, h('span', {}, name), title), content))
}

function arrivals({ arrivals: list }) {
  const sum = list.reduce((total, arrival) => total + arrival.instances, 0)
  const series = new Set(list.map((arrival) => arrival.seriesInstanceUID)).size
  return stage('Received', 'receive', `${plural(sum, 'instance')} in ${plural(series, 'series', 'series')}`, list.length > 0 ? 'good' : 'waiting',
    h('ul', { class: 'rows' }, list.map((arrival) => h('li', {},
      moment(arrival.at),
      h('span', {}, 'from ', h('b', {}, arrival.from)),
      h('span', {}, plural(arrival.instances, 'instance'),
        arrival.identical > 0 && `, ${arrival.identical} sent again unchanged`,
        arrival.replaced > 0 && h('span', { class: 'warn' }, `, ${arrival.replaced} replaced with other bytes`)),
      h('span', { class: 'uid', title: arrival.seriesInstanceUID }, `series …${arrival.seriesInstanceUID.slice(-14)}`)))))
}

function completion({ revisions }) {
  const [newest] = revisions
  if (!newest) return stage('Complete', 'complete', 'Not yet: instances may still come', 'waiting')
  const title = revisions.length === 1 ? `with ${plural(newest.instances, 'instance')}` : `Revision ${newest.revision}, with ${plural(newest.instances, 'instance')}`
  return stage('Complete', 'complete', title, 'good',
    h('ul', { class: 'rows' }, revisions.map((one) => h('li', {},
      moment(one.at), revisions.length > 1 && h('span', {}, `revision ${one.revision}, ${plural(one.instances, 'instance')}`), h('span', {}, one.reason)))))
}

function routes({ decisions, completion: complete, revision }) {
  const now = decisions.filter((decision) => decision.revision === revision)
  const before = decisions.filter((decision) => decision.revision !== revision)
  const matched = now.filter((decision) => decision.matched).length
  const title = now.length > 0 ? `${matched} of ${plural(now.length, 'route')} matched` : complete ? 'No route has been asked yet' : 'After completion'
  return stage('Routed', 'route', title, now.length === 0 ? 'waiting' : matched > 0 ? 'good' : 'idle',
    now.map(verdict),
    before.length > 0 && h('details', {}, h('summary', {}, `Verdicts on earlier revisions (${before.length})`), before.map(verdict)))
}

function verdict(decision) {
  return h('div', { class: 'box' },
    h('div', { class: 'box-head' },
      h('b', {}, decision.route), chip(decision.matched ? 'matched' : 'unmatched', decision.matched ? 'matched' : 'not matched'),
      h('span', { class: 'muted' }, `version ${decision.routeVersion}`)),
    h('p', {}, decision.reason),
    h('code', { class: 'expression' }, decision.expression),
    values(decision.because),
    Object.keys(decision.series).length > 0 && h('dl', { class: 'values' }, Object.entries(decision.series).map(([input, uid]) => [
      h('dt', {}, `input ${input}`), h('dd', { class: 'uid' }, uid)])))
}

/** The values that decided: as they were, in the rule's own names. */
function values(because) {
  const entries = Object.entries(because)
  if (entries.length === 0) return null
  return h('dl', { class: 'values' }, entries.map(([name, value]) => [
    h('dt', {}, name),
    h('dd', {}, value === null ? h('i', {}, 'absent') : typeof value === 'string' ? value : JSON.stringify(value))]))
}

function shortPipeline(pipeline) {
  const [name, digest] = (pipeline ?? '').split('@')
  return digest ? `${name}@${digest.replace(/^(sha256:.{12}).*/, '$1')}` : name
}

function job(one, { operator, act, several }) {
  const state = one.refused ? 'refused' : one.state
  return h('div', { class: 'box' },
    h('div', { class: 'box-head' },
      h('b', { title: one.pipeline }, one.kind === 'deliver' ? `Delivery to ${one.destination}` : shortPipeline(one.pipeline)), chip(state),
      several && h('span', { class: 'muted' }, `revision ${one.revision}`),
      operator && one.state === 'failed' && h('button', { type: 'button', class: 'small', onclick: act(`/jobs/${one.id}/retry`) }, icon('retry'), 'Retry')),
    one.error && h('p', { class: one.state === 'failed' && !one.refused ? 'reason bad' : 'reason' }, one.error),
    one.state === 'queued' && one.attempts.length > 0 && h('p', { class: 'muted' }, 'Next attempt at ', moment(one.runAfter)),
    one.attempts.length > 0 && h('ul', { class: 'rows' }, one.attempts.map((attempt, index) => h('li', {},
      moment(attempt.at),
      h('span', {}, `attempt ${index + 1}`, attempt.provider && ` on ${attempt.provider}`),
      h('span', {}, duration(attempt.ms)),
      attempt.error && attempt.error !== one.error && h('span', { class: 'bad' }, attempt.error)))))
}

function tally(jobs) {
  const words = jobs.map((one) => (one.refused ? 'refused' : one.state))
  return [...new Set(words)].map((word) => `${words.filter((other) => other === word).length} ${word}`).join(', ')
}

function inference(timeline, page) {
  const jobs = timeline.jobs.filter((one) => one.kind === 'infer')
  const count = (state) => jobs.filter((one) => one.state === state).length
  const failed = jobs.some((one) => one.state === 'failed' && !one.refused)
  const state = failed ? 'failed' : jobs.every((one) => one.refused) ? 'refused' : count('running') + count('queued') > 0 ? 'busy' : count('done') > 0 ? 'good' : 'idle'
  const title = jobs.length > 0 ? tally(jobs) : timeline.decisions.length > 0 ? 'No pipeline was asked for' : 'After routing'
  return stage('Inferred', 'infer', title, jobs.length > 0 ? state : timeline.decisions.length > 0 ? 'idle' : 'waiting', jobs.map((one) => job(one, page)))
}

function results(timeline, superseded, page) {
  const current = timeline.results.filter((result) => !superseded.has(result.sopInstanceUID))
  const old = timeline.results.filter((result) => superseded.has(result.sopInstanceUID))
  const deliveries = current.flatMap((result) => result.deliveries)
  const verified = deliveries.filter((delivery) => delivery.state === 'verified').length
  const troubled = timeline.jobs.filter((one) => one.kind === 'deliver' && (one.state === 'failed' || one.error))
  const failed = [...deliveries, ...troubled].some((one) => one.state === 'failed')
  const coming = timeline.completion === null || timeline.jobs.some((one) => one.kind === 'infer' && ['queued', 'running'].includes(one.state))
  const state = current.length === 0 ? (coming ? 'waiting' : 'idle') : failed ? 'failed' : verified === deliveries.length ? 'good' : 'busy'
  const title = current.length > 0 ? `${verified} of ${plural(deliveries.length, 'delivery', 'deliveries')} verified` : coming ? 'After inference' : 'Nothing to deliver'
  return stage('Delivered', 'deliver', title, state,
    current.map((result) => resultBox(timeline, result, h('span', { class: 'unverified' }, 'unverified AI result'))),
    troubled.map((one) => job(one, page)),
    old.length > 0 && h('details', {}, h('summary', {}, `Superseded by a later revision (${old.length})`),
      old.map((result) => resultBox(timeline, result, h('span', { class: 'muted' }, `superseded, of revision ${result.revision}`)))))
}

function resultBox(timeline, result, mark) {
  return h('div', { class: 'box' },
    h('div', { class: 'box-head' },
      h('span', { class: 'tag' }, result.modality), h('b', {}, result.role), mark,
      h('a', { class: 'small', href: viewerLink(timeline, result.seriesInstanceUID) }, icon('open'), 'Open in viewer')),
    h('p', { class: 'uid' }, result.sopInstanceUID),
    h('ul', { class: 'deliveries' }, result.deliveries.map((delivery) => h('li', {},
      h('b', {}, delivery.destination), chip(delivery.state),
      h('span', { class: delivery.state === 'failed' ? 'proof bad' : 'proof' }, (delivery.state === 'verified' ? delivery.proof : delivery.error ?? delivery.proof) ?? '')))))
}

function notes({ events }) {
  if (events.length === 0) return []
  return [stage('Noted', 'note', plural(events.length, 'remark'), 'idle',
    h('ul', { class: 'rows' }, events.map((event) => h('li', {}, moment(event.at), h('span', {}, event.sentence)))))]
}

function sideOf(finding) {
  return sides[finding.site] ?? (/\bleft\b/i.test(finding.name) ? 'left' : /\bright\b/i.test(finding.name) ? 'right' : null)
}

/** One measurement: for the whole, and for each side where there are two. */
function measurements(list) {
  const byConcept = new Map()
  for (const finding of list) {
    const key = `${finding.code} ${finding.unit} ${finding.pipeline}`
    const group = byConcept.get(key) ?? { whole: [], left: null, right: null, unit: finding.unit, name: finding.name }
    const side = sideOf(finding)
    if (side && !group[side]) group[side] = finding
    else {
      group.whole.push(finding)
      group.name = finding.name
    }
    byConcept.set(key, group)
  }
  return [...byConcept.values()]
}

function findings(timeline) {
  const now = timeline.findings.filter((finding) => finding.revision === timeline.revision)
  const pipelines = [...new Set(now.map((finding) => finding.pipeline))]
  if (pipelines.length === 0) return h('div', { class: 'panel' }, h('h2', {}, 'Findings'), h('p', { class: 'muted' }, timeline.state === 'done' || timeline.state === 'failed'
    ? 'No pipeline gave a value for this study; the timeline says why.' : 'Values appear here when a pipeline has run.'))
  return pipelines.map((pipeline) => h('div', { class: 'panel' },
    h('div', { class: 'box-head' }, h('h2', {}, 'Findings'), h('span', { class: 'unverified' }, 'unverified AI result')),
    h('p', { class: 'muted', title: pipeline }, shortPipeline(pipeline)),
    measurements(now.filter((finding) => finding.pipeline === pipeline)).map(measurement)))
}

function value({ value: number, unit }) {
  return h('span', { class: 'value' }, quantity(number, unit), h('small', {}, ` ${unitName(unit)}`))
}

function measurement(group) {
  const [whole, ...others] = group.whole
  const sided = ['right', 'left'].filter((side) => group[side])
  const largest = Math.max(...sided.map((side) => group[side].value))
  // A bar says how much: of a density in HU, which has no meaningful zero, it would say nothing.
  const drawn = !/hnsf/i.test(group.unit) && largest > 0 && sided.every((side) => group[side].value >= 0)
  return h('table', { class: 'measurement' },
    h('tbody', {},
      h('tr', { class: 'whole' }, h('th', { scope: 'row', colspan: 2 }, group.name), h('td', {}, whole && value(whole))),
      others.map((finding) => h('tr', {}, h('th', { scope: 'row' }, finding.site ?? ''), h('td', {}), h('td', {}, value(finding)))),
      sided.map((side) => h('tr', {},
        h('th', { scope: 'row' }, side === 'left' ? 'Left' : 'Right'), h('td', {}, drawn && bar(group[side].value / largest)), h('td', {}, value(group[side]))))))
}

/** @param fraction of the longer of both sides */
function bar(fraction) {
  const fill = h('span', {})
  fill.style.width = `${Math.round(fraction * 100)}%`
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, fill)
}
