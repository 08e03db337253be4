import { call, chip, dicomDate, h, icon, moment, personName, plural, quantity, unitName } from './dom.js'
import { studyPage } from './study.js'

const app = document.getElementById('app')
const pageSize = 25
const states = [
  ['', 'All'],
  ['receiving', 'Receiving'],
  ['processing', 'Processing'],
  ['done', 'Done'],
  ['failed', 'Failed'],
]

let session = null
let events = null
/** What the page that is shown does when something has changed; null for pages that do not care. */
let refresh = null

function brand() {
  return h('span', { class: 'brand' }, h('img', { src: '/admin/icon.svg', alt: '', width: 28, height: 28 }), 'Hilum')
}

/** The frame of every page behind the login. */
function frame(...content) {
  const live = h('span', { class: 'live', id: 'live', role: 'status' })
  app.replaceChildren(
    h('header', { class: 'top' },
      h('a', { href: '/admin', class: 'home', onclick: follow }, brand()),
      h('span', { class: 'space' }),
      live,
      h('span', { class: 'who' }, session.name),
      h('button', { class: 'quiet', type: 'button', onclick: logOut }, 'Log out')),
    h('main', {}, ...content),
  )
  showLive()
}

function showLive() {
  const live = document.getElementById('live')
  if (!live) return
  const open = events?.readyState === EventSource.OPEN
  live.className = open ? 'live on' : 'live'
  live.replaceChildren(h('span', { class: 'dot', 'aria-hidden': 'true' }), open ? 'Live' : 'Reconnecting …')
}

function listen() {
  events?.close()
  events = new EventSource('/api/events')
  let timer = null
  const later = () => {
    if (timer === null) timer = setTimeout(() => { timer = null; refresh?.() }, 150)
  }
  for (const kind of ['study', 'job', 'delivery', 'resync']) events.addEventListener(kind, later)
  // After a gap everything may have changed.
  events.addEventListener('open', () => { showLive(); later() })
  events.addEventListener('error', async () => {
    showLive()
    if (events?.readyState === EventSource.CLOSED) await start()
  })
}

function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
  event.preventDefault()
  history.pushState(null, '', event.currentTarget.href)
  show()
}

async function logOut() {
  await call('/session', { method: 'DELETE' })
  events?.close()
  events = null
  session = null
  history.replaceState(null, '', '/admin')
  loginPage()
}

/** A page before the login: one card in the middle. */
function card(title, text, form) {
  refresh = null
  app.replaceChildren(h('main', { class: 'gate' }, h('div', { class: 'card' }, brand(), h('h1', {}, title), text && h('p', { class: 'muted' }, text), form)))
  app.querySelector('input')?.focus()
}

function field(name, label, type, autocomplete) {
  return h('label', {}, label, h('input', { name, type, autocomplete, required: true }))
}

function form(fields, action, submit) {
  const failure = h('p', { class: 'failure', role: 'alert' })
  const button = h('button', { class: 'primary', type: 'submit' }, action)
  const element = h('form', {
    onsubmit: async (event) => {
      event.preventDefault()
      failure.textContent = ''
      button.disabled = true
      try {
        await submit(Object.fromEntries(new FormData(element)))
      } catch (error) {
        failure.textContent = error.message
        element.querySelector('input[type=password]')?.select()
      } finally {
        button.disabled = false
      }
    },
  }, fields, failure, button)
  return element
}

function loginPage() {
  document.title = 'Log in · Hilum'
  const fields = [field('name', 'User name', 'text', 'username'), field('password', 'Password', 'password', 'current-password')]
  card('Log in', null, form(fields, 'Log in', async ({ name, password }) => {
    session = await call('/session', { method: 'POST', body: { name, password } })
    if (session.mustChangePassword) passwordPage(password)
    else enter()
  }))
}

function passwordPage(current) {
  document.title = 'New password · Hilum'
  const fields = [
    h('input', { type: 'text', name: 'username', autocomplete: 'username', value: session.name, class: 'hidden', tabindex: -1, 'aria-hidden': 'true' }),
    current ? null : field('current', 'One-time password', 'password', 'current-password'),
    field('next', 'New password', 'password', 'new-password'),
    field('again', 'The same again', 'password', 'new-password'),
  ]
  const text = 'The one-time password has served its purpose. Choose your own: 12 characters or more.'
  card('Choose a password', text, form(fields, 'Set the password', async (values) => {
    if (values.next !== values.again) throw new Error('The two new passwords differ.')
    await call('/session/password', { method: 'POST', body: { current: current ?? values.current, next: values.next } })
    session = await call('/session')
    enter()
  }))
}

/** After the login: where the person wanted to go, within this origin only. */
function enter() {
  const next = new URLSearchParams(location.search).get('next')
  const target = next && /^\/(?![/\\])/.test(next) ? new URL(next, location.origin) : null
  if (target && target.origin === location.origin && !target.pathname.startsWith('/admin')) return location.replace(target)
  listen()
  show()
}

function problem(error, again) {
  return h('div', { class: 'notice bad', role: 'alert' }, icon('warning'), h('div', {}, h('strong', {}, 'This could not be loaded'), h('p', {}, error.message)),
    h('button', { type: 'button', onclick: again }, 'Try again'))
}

function skeleton() {
  return h('div', { class: 'skeleton', 'aria-busy': 'true', 'aria-label': 'Loading' }, Array.from({ length: 6 }, () => h('span', {})))
}

function listPage() {
  document.title = 'Studies · Hilum'
  const query = new URLSearchParams(location.search)
  const at = { search: query.get('search') ?? '', state: query.get('state') ?? '', page: Number(query.get('page') ?? 0) || 0 }
  const body = h('div', { class: 'list' }, skeleton())
  const tally = h('span', { class: 'muted', role: 'status' })
  const input = h('input', { type: 'search', placeholder: 'Name, patient ID, accession or UID', 'aria-label': 'Search studies', value: at.search })
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'State' })
  let asked = 0

  const go = (change) => {
    Object.assign(at, { page: 0 }, change)
    const next = new URLSearchParams(Object.entries(at).filter(([, value]) => value).map(([key, value]) => [key, String(value)]))
    history.replaceState(null, '', next.size ? `/admin?${next}` : '/admin')
    load()
  }
  const load = async () => {
    const mine = ++asked
    tabs.replaceChildren(...states.map(([value, label]) =>
      h('button', { type: 'button', 'aria-pressed': String(at.state === value), onclick: () => go({ state: value }) }, label)))
    const asking = new URLSearchParams({ limit: pageSize, offset: at.page * pageSize })
    if (at.search) asking.set('search', at.search)
    if (at.state) asking.set('state', at.state)
    try {
      const answer = await call(`/studies?${asking}`)
      if (mine !== asked) return
      tally.textContent = plural(answer.total, 'study', 'studies')
      body.replaceChildren(answer.studies.length > 0 ? studyTable(answer.studies) : empty(at), ...pager(answer.total, at.page, go))
    } catch (error) {
      if (mine !== asked) return
      if (error.status === 401) return start()
      tally.textContent = ''
      body.replaceChildren(problem(error, load))
    }
  }
  let typing = null
  input.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(() => go({ search: input.value.trim() }), 250)
  })
  frame(
    h('div', { class: 'heading' }, h('h1', {}, 'Studies'), tally),
    h('div', { class: 'tools' }, tabs, h('label', { class: 'search' }, icon('search'), input)),
    body,
  )
  refresh = load
  load()
}

function empty({ search, state }) {
  const searching = search || state
  return h('div', { class: 'empty' }, icon(searching ? 'search' : 'inbox'),
    h('strong', {}, searching ? 'No study matches' : 'No study has arrived yet'),
    h('p', { class: 'muted' }, searching
      ? 'Try part of a name, an accession number, or another state.'
      : 'Send one by C-STORE or STOW-RS; it appears here while it arrives.'))
}

function pager(total, page, go) {
  const last = Math.max(0, Math.ceil(total / pageSize) - 1)
  if (last === 0) return []
  return [h('nav', { class: 'pager', 'aria-label': 'Pages' },
    h('button', { type: 'button', disabled: page === 0, onclick: () => go({ page: page - 1 }) }, 'Newer'),
    h('span', { class: 'muted' }, `Page ${page + 1} of ${last + 1}`),
    h('button', { type: 'button', disabled: page >= last, onclick: () => go({ page: page + 1 }) }, 'Older'))]
}

function studyTable(studies) {
  const head = ['State', 'Patient', 'Study', 'Accession', 'Modality', 'Instances', 'AI found', 'Changed']
  return h('table', { class: 'studies' },
    h('thead', {}, h('tr', {}, head.map((label) => h('th', { scope: 'col', class: label === 'Instances' ? 'number' : null }, label)))),
    h('tbody', {}, studies.map(studyRow)))
}

function studyRow(study) {
  const found = study.findings.filter((finding) => !finding.site).concat(study.findings.filter((finding) => finding.site)).slice(0, 2)
  return h('tr', {},
    h('td', {}, chip(study.state)),
    h('td', { class: 'patient' },
      h('a', { class: 'row', href: `/admin/studies/${study.studyInstanceUID}`, onclick: follow }, personName(study.patientName)),
      h('small', {}, study.patientID ?? 'no ID')),
    h('td', { class: 'what' }, h('span', {}, study.studyDescription || 'No description'), h('small', {}, dicomDate(study.studyDate) || 'no date')),
    h('td', {}, study.accessionNumber || '–'),
    h('td', {}, study.modalities.map((modality) => h('span', { class: 'tag' }, modality))),
    h('td', { class: 'number' }, study.instances.toLocaleString(), study.revision > 1 && h('small', {}, `revision ${study.revision}`)),
    h('td', { class: 'found' }, found.length === 0
      ? h('span', { class: 'remark' }, (['done', 'failed'].includes(study.state) && (study.remark ?? 'no findings')) || '–')
      : found.map((finding) => h('span', {}, `${finding.name} `, h('b', {}, `${quantity(finding.value, finding.unit)} ${unitName(finding.unit)}`)))),
    h('td', { class: 'changed' }, moment(study.updatedAt)))
}

function show() {
  const study = /^\/admin\/studies\/([0-9.]+)$/.exec(location.pathname)
  if (!study) return listPage()
  document.title = 'Study · Hilum'
  refresh = studyPage(study[1], { frame, follow, problem, skeleton, toLogin: start, operator: session.role !== 'viewer' })
}

/** Finds out who is logged in, and shows what that allows. */
async function start() {
  try {
    session = await call('/session')
  } catch (error) {
    if (error.status === 401) return loginPage()
    refresh = null
    return app.replaceChildren(h('main', { class: 'gate' }, problem(error, start)))
  }
  if (session.mustChangePassword) passwordPage(null)
  else enter()
}

window.addEventListener('popstate', () => { if (session) show() })
start()
