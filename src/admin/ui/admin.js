import { call, h, icon } from './dom.js'
import { listPage } from './list.js'
import { overview } from './overview.js'
import { quarantinePage } from './quarantine.js'
import { sendersPage } from './senders.js'
import { studyPage } from './study.js'

const app = document.getElementById('app')

let session = null
let events = null
/** What the page that is shown does when something has changed, and of what kinds; null for pages that do not care. */
let refresh = null
/** The links to the pages and the disk; made anew with each login. */
let around = null

function brand() {
  return h('span', { class: 'brand' }, h('img', { src: '/admin/icon.svg', alt: '', width: 28, height: 28 }), 'Hilum')
}

/** The frame of every page behind the login. */
function frame(...content) {
  const live = h('span', { class: 'live', id: 'live', role: 'status' })
  app.replaceChildren(
    h(
      'header',
      { class: 'top' },
      h('a', { href: '/admin', class: 'home', onclick: follow }, brand()),
      around.nav,
      h('span', { class: 'space' }),
      around.disk,
      live,
      h('span', { class: 'who' }, session.name),
      h('button', { class: 'quiet', type: 'button', onclick: logOut }, 'Log out'),
    ),
    h('main', {}, ...content),
  )
  around.mark()
  showLive()
}

function showLive() {
  const live = document.getElementById('live')
  if (!live) return
  const open = events?.readyState === EventSource.OPEN
  live.className = open ? 'live on' : 'live'
  live.replaceChildren(h('span', { class: 'dot', 'aria-hidden': 'true' }), open ? 'Live' : 'Reconnecting …')
}

/** ms for which changes of a kind are gathered. */
const gatherMs = { study: 150, job: 150, delivery: 150, quarantine: 300, remote: 300, disk: 300, traffic: 3000 }

function listen() {
  events?.close()
  events = new EventSource('/api/events')
  const timers = new Map()
  const soon = (kind, act) => {
    if (!timers.has(kind))
      timers.set(
        kind,
        setTimeout(() => {
          timers.delete(kind)
          act()
        }, gatherMs[kind]),
      )
  }
  const changed = (kind) => {
    if (refresh?.kinds.includes(kind)) soon(kind, () => refresh?.load?.())
    // What senders sent is counted, and told of by nobody: studies that change are a sign of it.
    if (kind === 'study' && refresh?.kinds.includes('traffic')) soon('traffic', () => refresh?.load?.())
    if (['quarantine', 'remote', 'disk'].includes(kind)) soon('disk', () => around?.load())
  }
  const kinds = ['study', 'job', 'delivery', 'quarantine', 'remote', 'disk']
  for (const kind of kinds) events.addEventListener(kind, () => changed(kind))
  // After a gap everything may have changed.
  events.addEventListener('resync', () => kinds.forEach(changed))
  events.addEventListener('open', () => {
    showLive()
    kinds.forEach(changed)
  })
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
  app.replaceChildren(
    h(
      'main',
      { class: 'gate' },
      h('div', { class: 'card' }, brand(), h('h1', {}, title), text && h('p', { class: 'muted' }, text), form),
    ),
  )
  app.querySelector('input')?.focus()
}

function field(name, label, type, autocomplete) {
  return h('label', {}, label, h('input', { name, type, autocomplete, required: true }))
}

function form(fields, action, submit) {
  const failure = h('p', { class: 'failure', role: 'alert' })
  const button = h('button', { class: 'primary', type: 'submit' }, action)
  const element = h(
    'form',
    {
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
    },
    fields,
    failure,
    button,
  )
  return element
}

function loginPage() {
  document.title = 'Log in · Hilum'
  const fields = [
    field('name', 'User name', 'text', 'username'),
    field('password', 'Password', 'password', 'current-password'),
  ]
  card(
    'Log in',
    null,
    form(fields, 'Log in', async ({ name, password }) => {
      session = await call('/session', { method: 'POST', body: { name, password } })
      if (session.mustChangePassword) passwordPage(password)
      else enter()
    }),
  )
}

function passwordPage(current) {
  document.title = 'New password · Hilum'
  const fields = [
    h('input', {
      type: 'text',
      name: 'username',
      autocomplete: 'username',
      value: session.name,
      class: 'hidden',
      tabindex: -1,
      'aria-hidden': 'true',
    }),
    current ? null : field('current', 'One-time password', 'password', 'current-password'),
    field('next', 'New password', 'password', 'new-password'),
    field('again', 'The same again', 'password', 'new-password'),
  ]
  const text = 'The one-time password has served its purpose. Choose your own: 12 characters or more.'
  card(
    'Choose a password',
    text,
    form(fields, 'Set the password', async (values) => {
      if (values.next !== values.again) throw new Error('The two new passwords differ.')
      await call('/session/password', {
        method: 'POST',
        body: { current: current ?? values.current, next: values.next },
      })
      session = await call('/session')
      enter()
    }),
  )
}

/** After the login: where the person wanted to go, within this origin only. */
function enter() {
  const next = new URLSearchParams(location.search).get('next')
  const target = next && /^\/(?![/\\])/.test(next) ? new URL(next, location.origin) : null
  if (target && target.origin === location.origin && !target.pathname.startsWith('/admin'))
    return location.replace(target)
  around = overview(session, follow)
  around.load()
  listen()
  show()
}

function problem(error, again) {
  return h(
    'div',
    { class: 'notice bad', role: 'alert' },
    icon('warning'),
    h('div', {}, h('strong', {}, 'This could not be loaded'), h('p', {}, error.message)),
    h('button', { type: 'button', onclick: again }, 'Try again'),
  )
}

function skeleton() {
  return h(
    'div',
    { class: 'skeleton', 'aria-busy': 'true', 'aria-label': 'Loading' },
    Array.from({ length: 6 }, () => h('span', {})),
  )
}

function focusHeading() {
  app.querySelector('h1')?.focus({ preventScroll: true })
}

/** The page of the address: its title, what makes it, and the kinds of changes that concern it. */
function pageOf(path) {
  const study = /^\/admin\/studies\/([0-9.]+)$/.exec(path)
  const studies = ['study', 'job', 'delivery']
  if (study) return { title: 'Study', make: (page) => studyPage(study[1], page), kinds: studies }
  if (path === '/admin/senders') return { title: 'Senders', make: sendersPage, kinds: ['remote', 'traffic'] }
  if (path === '/admin/quarantine') return { title: 'Quarantine', make: quarantinePage, kinds: ['quarantine'] }
  return { title: 'Studies', make: listPage, kinds: studies }
}

function show() {
  const { role } = session
  const rights = { operator: role !== 'viewer', administrator: role === 'administrator' }
  const { title, make, kinds } = pageOf(location.pathname)
  document.title = `${title} · Hilum`
  refresh = { load: make({ frame, follow, problem, skeleton, focusHeading, toLogin: start, ...rights }), kinds }
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

window.addEventListener('popstate', () => {
  if (session) show()
})
start()
