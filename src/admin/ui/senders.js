import { actButton, nothing, redraw } from './acts.js'
import { call, h, icon, moment, plural, size } from './dom.js'

const permissions = [
  ['store', 'send'],
  ['query', 'search'],
  ['retrieve', 'fetch'],
]
/** Callers that are no remotes, by the setting `dimse.unknownCallers`. */
const others = {
  loopback: 'Callers that are not listed here are accepted from this machine only.',
  reject: 'Callers that are not listed here are refused.',
  accept: 'Callers that are not listed here are accepted too, and may send.',
}

/**
 * The page of those who may call, with what they sent, and of those who were refused.
 * @returns what to call when something has changed
 */
export function sendersPage(page) {
  const body = h('div', { class: 'list' }, page.skeleton())
  const note = h('p', { class: 'muted' })
  const said = h('p', { class: 'said', role: 'status' })
  /** What is ticked for a refused caller, by id: it outlives the list that it was ticked in. */
  const ticked = new Map()
  let asked = 0
  let shown = ''

  page.frame(h('div', { class: 'heading' }, h('h1', { tabindex: -1 }, 'Senders'), note), said, body)

  const load = async () => {
    const mine = ++asked
    try {
      const answer = await call('/remotes')
      const now = JSON.stringify(answer)
      if (mine !== asked || now === shown || !body.isConnected) return
      shown = now
      note.textContent = others[answer.unknownCallers] ?? ''
      redraw(body, refusedSection(answer.refused, context), remoteSection(answer, context))
    } catch (error) {
      if (mine !== asked || !body.isConnected) return
      if (error.status === 401) return page.toLogin()
      shown = ''
      note.textContent = ''
      body.replaceChildren(page.problem(error, load))
    }
  }
  /** After an act: says what was done, and where the row with the button is gone, gives the focus to a place that is there. */
  const done = async (sentence) => {
    said.textContent = sentence
    await load()
    if (document.activeElement === document.body) page.focusHeading()
  }
  const context = { ...page, ticked, done }
  load()
  return load
}

function refusedSection(refused, context) {
  return h(
    'section',
    { class: 'part', 'aria-labelledby': 'refused' },
    h('h2', { id: 'refused' }, 'Refused callers'),
    refused.length === 0
      ? nothing(
          icon('complete'),
          'Nobody was refused',
          'A caller that is refused appears here at once, with the reason.',
        )
      : h(
          'ul',
          { class: 'cards' },
          refused.map((caller) => refusedCard(caller, context)),
        ),
  )
}

function refusedCard(caller, context) {
  const { id, callingAETitle, address, reason, times, firstAt, lastAt, useless } = caller
  return h(
    'li',
    { class: 'box' },
    h(
      'div',
      { class: 'box-head' },
      h('b', {}, callingAETitle || 'Several callers'),
      h('span', { class: 'muted' }, address === '' ? 'from several addresses' : `from ${address}`),
      h('span', { class: 'space' }),
      h(
        'span',
        { class: 'muted' },
        `${plural(times, 'time')}, last `,
        moment(lastAt),
        times > 1 && [', first ', moment(firstAt)],
      ),
    ),
    h('p', { class: 'reason' }, `Refused: ${reason}.`),
    useless !== null
      ? h(
          'div',
          { class: 'actions' },
          h('p', { class: 'muted' }, `Admitting it would be of no use: ${useless}.`),
          h('span', { class: 'space' }),
          context.administrator && forget(id, callingAETitle || 'them', context),
        )
      : context.administrator
        ? admission(caller, context)
        : h('p', { class: 'muted' }, 'An administrator can admit it.'),
  )
}

/** What a caller may do when it is admitted, and the button for it. */
function admission({ id, callingAETitle, address }, context) {
  const { ticked, done } = context
  const may = ticked.get(id) ?? new Set(['store'])
  ticked.set(id, may)
  const admit = actButton({
    key: `admit-${id}`,
    label: 'Admit',
    kind: 'primary',
    path: `/remotes/refused/${id}/admit`,
    body: () => ({ may: [...may] }),
    disabled: may.size === 0,
    done: () => done(`${callingAETitle} may call from ${address} now.`),
  })
  const boxes = permissions.map(([permission, label]) => {
    const box = h('input', {
      type: 'checkbox',
      'data-key': `may-${id}-${permission}`,
      checked: may.has(permission),
      onchange: () => {
        if (box.checked) may.add(permission)
        else may.delete(permission)
        admit.querySelector('button').disabled = may.size === 0
      },
    })
    return h('label', {}, box, label)
  })
  return h(
    'div',
    { class: 'actions' },
    h('fieldset', { class: 'may' }, h('legend', {}, 'It may'), boxes),
    h('span', { class: 'space' }),
    admit,
    forget(id, callingAETitle, context),
  )
}

function forget(id, whom, { done }) {
  return actButton({
    key: `forget-${id}`,
    label: 'Forget',
    kind: 'quiet',
    path: `/remotes/refused/${id}`,
    method: 'DELETE',
    done: () => done(`The refusal of ${whom} is forgotten.`),
  })
}

function remoteSection({ configured, others: rest }, context) {
  const head = ['AE title', 'May call from', 'It may', 'Listens at', 'Last hour', 'Last day', 'Since it is counted', '']
  return h(
    'section',
    { class: 'part', 'aria-labelledby': 'remotes' },
    h('h2', { id: 'remotes' }, 'Remotes'),
    configured.length === 0
      ? nothing(
          icon('inbox'),
          'No remote is known yet',
          'Let a scanner send: where it is refused it appears above, and is admitted by one click. Or add it with “hilum remote add”.',
        )
      : h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Remotes' },
          h(
            'table',
            { class: 'table' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                head.map((label) => h('th', { scope: 'col' }, label || h('span', { class: 'hidden' }, 'Acts'))),
              ),
            ),
            h(
              'tbody',
              {},
              configured.map((remote) => remoteRow(remote, context)),
              otherRow(rest),
            ),
          ),
        ),
  )
}

function remoteRow({ aeTitle, addresses, may, host, port, tls, origin, traffic }, { administrator, done }) {
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, aeTitle, h('small', {}, seen(traffic))),
    h(
      'td',
      {},
      addresses.length === 0 ? 'anywhere' : addresses.map((address) => h('span', { class: 'line' }, address)),
    ),
    h(
      'td',
      {},
      permissions.flatMap(([permission, label]) =>
        may.includes(permission) ? [h('span', { class: 'tag' }, label)] : [],
      ),
    ),
    h('td', {}, host === null ? '–' : `${host}:${port}`, tls && h('small', {}, 'with TLS')),
    amount(traffic.lastHour),
    amount(traffic.lastDay),
    amount(traffic, traffic.rejected > 0 && `${plural(traffic.rejected, 'instance')} refused`),
    h(
      'td',
      { class: 'end' },
      origin === 'file'
        ? h('span', { class: 'muted' }, 'configuration file')
        : administrator &&
            actButton({
              key: `remove-${aeTitle}`,
              label: 'Remove',
              sure: 'Really remove?',
              path: `/remotes/${encodeURIComponent(aeTitle)}`,
              method: 'DELETE',
              done: () => done(`${aeTitle} is no remote any more.`),
            }),
    ),
  )
}

function otherRow(traffic) {
  if (traffic.associations + traffic.instances + traffic.refused === 0) return null
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, 'Everybody else', h('small', {}, seen(traffic))),
    h('td', { colspan: 3 }, traffic.refused > 0 && `${plural(traffic.refused, 'association')} refused`),
    amount(traffic.lastHour),
    amount(traffic.lastDay),
    amount(traffic),
    h('td', {}),
  )
}

function seen({ lastSeenAt }) {
  return lastSeenAt === null ? 'never seen' : ['seen ', moment(lastSeenAt)]
}

function amount({ instances, bytes }, more) {
  if (instances === 0) return h('td', { class: 'muted' }, '–', more && h('small', {}, more))
  return h(
    'td',
    {},
    plural(instances, 'instance'),
    h('small', {}, size(bytes)),
    more && h('small', { class: 'warn' }, more),
  )
}
