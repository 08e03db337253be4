import { call, h, icon, plural, size } from './dom.js'

/** What each state of the disk means, for a person; its chip's colour is that of its class. */
const diskWords = {
  enough: ['', 'free'],
  warn: ['refused', 'free: the disk is getting full'],
  refuse: ['failed', 'free: the disk is full, and nothing is taken in'],
  emergency: ['failed', 'free: the disk is full, and no work is begun'],
}

/**
 * The links to the pages, with how much waits behind each, and the disk.
 * @returns the elements, and what to call when something has changed
 */
export function overview(session, follow) {
  const isOperator = session.role !== 'viewer'
  const waiting = { senders: h('span', { class: 'count' }), quarantine: h('span', { class: 'count' }) }
  const disk = h('span', { class: 'disk', role: 'status' })
  const links = [
    ['/admin', 'Studies', null],
    ['/admin/senders', 'Senders', waiting.senders],
    ['/admin/quarantine', 'Quarantine', waiting.quarantine],
  ].map(([href, label, count]) => h('a', { href, onclick: follow }, label, count))

  const load = async () => {
    const [refused, quarantined, storage] = await Promise.allSettled([
      call('/remotes/refused'),
      isOperator ? call('/quarantine?limit=1') : null,
      call('/storage'),
    ])
    if (refused.value) tell(waiting.senders, refused.value.refused.length, 'refused caller')
    if (quarantined.value) tell(waiting.quarantine, quarantined.value.total, 'object', 'objects')
    if (storage.value) tellDisk(disk, storage.value.disk)
  }
  /** Marks the link of the page that is shown. */
  const mark = () => {
    const here = links.findLast((link) => location.pathname.startsWith(link.pathname))
    for (const link of links) {
      if (link === here) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
  }
  return { nav: h('nav', { 'aria-label': 'Pages' }, links), disk, load, mark }
}

function tell(badge, count, one, many) {
  badge.replaceChildren(
    ...(count === 0
      ? []
      : [
          h('span', { 'aria-hidden': 'true' }, count > 99 ? '99+' : String(count)),
          h('span', { class: 'hidden' }, ` (${plural(count, one, many)})`),
        ]),
  )
}

function tellDisk(element, { state, free, warnFree, minimumFree, emergencyFree }) {
  const [mark, words] = diskWords[state] ?? ['', 'free']
  element.className = mark === '' ? 'disk' : `disk chip chip-${mark}`
  element.title = `A warning below ${size(warnFree)}, nothing is taken in below ${size(minimumFree)}, no work is begun below ${size(emergencyFree)}.`
  element.replaceChildren(mark === '' ? '' : icon('warning'), `${size(free)} ${words}`)
}
