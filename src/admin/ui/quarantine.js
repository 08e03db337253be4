import { actButton, nothing, redraw } from './acts.js'
import { call, h, icon, moment, pager, plural, size } from './dom.js'

const pageSize = 25
const states = [
  ['quarantined', 'In quarantine'],
  ['reingested', 'Taken in again'],
  ['discarded', 'Discarded'],
]
const ways = { 'c-store': 'C-STORE', 'stow-rs': 'STOW-RS', folder: 'folder', recovery: 'found at a restart' }

/**
 * The page of what could not be kept as an instance, and why.
 * @returns what to call when something has changed
 */
export function quarantinePage(page) {
  const at = { state: 'quarantined', page: 0 }
  const body = h('div', { class: 'list' }, page.skeleton())
  const tally = h('span', { class: 'muted', role: 'status' })
  const said = h('p', { class: 'said', role: 'status' })
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'State' })
  let asked = 0
  let shown = ''
  page.frame(
    h('div', { class: 'heading' }, h('h1', { tabindex: -1 }, 'Quarantine'), tally),
    page.operator && h('div', { class: 'tools' }, tabs),
    said,
    body,
  )
  if (!page.operator) {
    body.replaceChildren(
      nothing(
        icon('lock'),
        'The quarantine is for operators',
        'What is in it may name patients, and may be anything. Ask an administrator for the role.',
      ),
    )
    return null
  }

  const go = (change) => {
    Object.assign(at, { page: 0 }, change)
    said.replaceChildren()
    load()
  }
  const load = async () => {
    const mine = ++asked
    redraw(
      tabs,
      ...states.map(([value, label]) =>
        h(
          'button',
          {
            type: 'button',
            'data-key': value,
            'aria-pressed': String(at.state === value),
            onclick: () => go({ state: value }),
          },
          label,
        ),
      ),
    )
    try {
      const answer = await call(`/quarantine?state=${at.state}&limit=${pageSize}&offset=${at.page * pageSize}`)
      const now = JSON.stringify([at, answer])
      // Drawing the same again would take away what a button has said.
      if (mine !== asked || now === shown || !body.isConnected) return
      shown = now
      // The last one of a page may have gone.
      if (answer.objects.length === 0 && at.page > 0) return go({ page: at.page - 1 })
      tally.textContent = plural(answer.total, 'object')
      redraw(
        body,
        answer.objects.length === 0
          ? empty(at.state)
          : h(
              'ul',
              { class: 'cards' },
              answer.objects.map((object) => card(object, done)),
            ),
        ...pager(answer.total, { page: at.page, pageSize, go }),
      )
    } catch (error) {
      if (mine !== asked || !body.isConnected) return
      if (error.status === 401) return page.toLogin()
      shown = ''
      tally.textContent = ''
      body.replaceChildren(page.problem(error, load))
    }
  }
  const done = async (...sentence) => {
    said.replaceChildren(...sentence)
    await load()
    if (document.activeElement === document.body) page.focusHeading()
  }
  load()
  return load
}

function empty(state) {
  if (state === 'quarantined')
    return nothing(
      icon('complete'),
      'Nothing is in quarantine',
      'What cannot be kept as an instance comes here, with the reason.',
    )
  return nothing(icon('inbox'), 'Nothing here', 'What is taken in again, or discarded, stays listed.')
}

function card(object, done) {
  const { id, at, code, reason, via, sender, sopInstanceUID, size: bytes, state, stateAt, stateBy } = object
  return h(
    'li',
    { class: 'box' },
    h(
      'div',
      { class: 'box-head' },
      h('b', {}, sender),
      h('span', { class: 'muted' }, `by ${ways[via] ?? via}`),
      h('span', { class: 'space' }),
      h('span', { class: 'muted' }, moment(at), ` · ${size(bytes)}`),
    ),
    h('p', { class: 'reason' }, h('span', { class: 'tag' }, code), ` ${reason}`),
    sopInstanceUID && h('p', { class: 'uid' }, sopInstanceUID),
    state === 'quarantined'
      ? acts(object, done)
      : h(
          'p',
          { class: 'muted' },
          `${state === 'discarded' ? 'Discarded' : 'Taken in again'} by ${stateBy} `,
          moment(stateAt),
        ),
    h('span', { class: 'number-of' }, `no. ${id}`),
  )
}

function acts({ id, code }, done) {
  const takenIn = (answer) =>
    done('Taken in: it is in ', h('a', { href: `/admin/studies/${answer.studyInstanceUID}` }, 'its study'), ' now.')
  return h(
    'div',
    { class: 'actions' },
    actButton({
      key: `again-${id}`,
      label: 'Take in again',
      path: `/quarantine/${id}/reingest`,
      body: {},
      done: takenIn,
    }),
    code === 'command-mismatch' &&
      actButton({
        key: `accept-${id}`,
        label: 'Accept its own UIDs',
        sure: 'Really accept them?',
        path: `/quarantine/${id}/reingest`,
        body: { accept: true },
        done: takenIn,
      }),
    h(
      'a',
      {
        class: 'small',
        href: `/api/quarantine/${id}/file`,
        download: `quarantine-${id}.dcm`,
        'data-key': `file-${id}`,
      },
      icon('receive'),
      'Download',
    ),
    actButton({
      key: `discard-${id}`,
      label: 'Discard',
      sure: 'Delete its bytes for good?',
      path: `/quarantine/${id}/discard`,
      done: () => done(`No. ${id} is discarded.`),
    }),
  )
}
