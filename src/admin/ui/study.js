import { call, chip, dicomDate, h, icon, personName, plural } from './dom.js'
import { findings } from './findings.js'
import { arrivals, completion, inference, notes, results, routes, viewerLink } from './stages.js'

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
    h(
      'div',
      { class: 'study' },
      h(
        'section',
        { class: 'flow', 'aria-label': 'Timeline' },
        arrivals(timeline),
        completion(timeline),
        routes(timeline),
        inference(timeline, page),
        results(timeline, superseded, page),
        ...notes(timeline),
      ),
      h('aside', {}, findings(timeline)),
    ),
  ]
}

function heading(timeline, overlay, { operator, act }) {
  const { patient } = timeline
  const modalities = [...new Set(timeline.arrivals.map((arrival) => arrival.modality).filter(Boolean))]
  const born = [
    dicomDate(patient.patientBirthDate) && `born ${dicomDate(patient.patientBirthDate)}`,
    { M: 'male', F: 'female', O: 'other' }[patient.patientSex],
  ]
  const facts = [
    patient.patientID && `ID ${patient.patientID}`,
    ...born,
    timeline.accessionNumber && `Accession ${timeline.accessionNumber}`,
  ].filter(Boolean)
  const study = [
    timeline.studyDescription || 'No description',
    dicomDate(timeline.studyDate),
    modalities.join(', '),
    plural(timeline.instances, 'instance'),
  ].filter(Boolean)
  const open = timeline.state === 'receiving' || timeline.completion === null
  return h(
    'div',
    { class: 'heading study-heading' },
    h(
      'div',
      {},
      h('h1', {}, personName(patient.patientName), chip(timeline.state)),
      h('p', { class: 'muted' }, facts.join(' · ')),
      h('p', {}, study.join(' · ')),
      h('p', { class: 'uid' }, timeline.studyInstanceUID),
    ),
    h(
      'div',
      { class: 'actions' },
      operator &&
        open &&
        h('button', { type: 'button', onclick: act(`/studies/${timeline.studyInstanceUID}/complete`) }, 'Complete now'),
      h(
        'a',
        { class: 'primary', href: viewerLink(timeline, overlay?.seriesInstanceUID) },
        icon('open'),
        'Open in viewer',
      ),
    ),
  )
}
