import { h, quantity, unitName } from './dom.js'

/** Sites that a pair of bars can be drawn for (SNOMED CT). */
const sides = { 'SCT:44029006': 'left', 'SCT:3341006': 'right' }

/** `name@sha256:…` with as much of the digest as tells versions apart. */
export function shortPipeline(pipeline) {
  const [name, digest] = (pipeline ?? '').split('@')
  return digest ? `${name}@${digest.replace(/^(sha256:.{12}).*/, '$1')}` : name
}

function sideOf(finding) {
  return (
    sides[finding.site] ?? (/\bleft\b/i.test(finding.name) ? 'left' : /\bright\b/i.test(finding.name) ? 'right' : null)
  )
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

/** What the pipelines measured, as it holds for the newest revision: numbers with units, and a bar for each of two sides. */
export function findings(timeline) {
  const now = timeline.findings.filter((finding) => finding.current)
  const pipelines = [...new Set(now.map((finding) => finding.pipeline))]
  if (pipelines.length === 0)
    return h(
      'div',
      { class: 'panel' },
      h('h2', {}, 'Findings'),
      h(
        'p',
        { class: 'muted' },
        timeline.state === 'done' || timeline.state === 'failed'
          ? 'No pipeline gave a value for this study; the timeline says why.'
          : 'Values appear here when a pipeline has run.',
      ),
    )
  return pipelines.map((pipeline) =>
    h(
      'div',
      { class: 'panel' },
      h(
        'div',
        { class: 'box-head' },
        h('h2', {}, 'Findings'),
        h('span', { class: 'unverified' }, 'unverified AI result'),
      ),
      h('p', { class: 'muted', title: pipeline }, shortPipeline(pipeline)),
      measurements(now.filter((finding) => finding.pipeline === pipeline)).map(measurement),
    ),
  )
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
  return h(
    'table',
    { class: 'measurement' },
    h(
      'tbody',
      {},
      h(
        'tr',
        { class: 'whole' },
        h('th', { scope: 'row', colspan: 2 }, group.name),
        h('td', {}, whole && value(whole)),
      ),
      others.map((finding) =>
        h('tr', {}, h('th', { scope: 'row' }, finding.site ?? ''), h('td', {}), h('td', {}, value(finding))),
      ),
      sided.map((side) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, side === 'left' ? 'Left' : 'Right'),
          h('td', {}, drawn && bar(group[side].value / largest)),
          h('td', {}, value(group[side])),
        ),
      ),
    ),
  )
}

/** @param fraction of the longer of both sides */
function bar(fraction) {
  const fill = h('span', {})
  fill.style.width = `${Math.round(fraction * 100)}%`
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, fill)
}
