/** Making the page: elements, words and numbers. Text only ever becomes text, never markup. */

/**
 * An element. Properties beginning with `on` are listeners, `class` is the class, the others are attributes; null and false leave one out.
 * Children may be strings, elements, arrays of them, null or false.
 */
export function h(tag, properties = {}, ...children) {
  const element =
    tag === 'svg' || tag === 'path' || tag === 'circle'
      ? document.createElementNS('http://www.w3.org/2000/svg', tag)
      : document.createElement(tag)
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'class') element.setAttribute('class', value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ''),
  )
  return element
}

const paths = {
  search: 'M21 21l-4.6-4.6M10.5 18a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z',
  receive: 'M12 3v11m0 0 4.5-4.5M12 14 7.5 9.5M4 17v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2',
  complete: 'M5 12.5l4.5 4.5L19 7.5',
  route: 'M6 4v5a4 4 0 0 0 4 4h4a4 4 0 0 1 4 4v3M6 13v7M15 17l3 3 3-3M3 17l3 3 3-3',
  infer: 'M4 12h3l2.5-7 5 14 2.5-7h3',
  deliver: 'M4 12l16-8-5.5 16-3-6.5L4 12z',
  note: 'M12 8v5m0 3v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  back: 'M19 12H5m6-6-6 6 6 6',
  open: 'M14 4h6v6M20 4l-9 9M18 14v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h4',
  retry: 'M20 11a8 8 0 1 0-2.3 6M20 5v6h-6',
  warning: 'M12 9v4m0 3.5v.01M10.3 4.3 2.8 17.5A2 2 0 0 0 4.5 20.5h15a2 2 0 0 0 1.7-3L13.7 4.3a2 2 0 0 0-3.4 0z',
  lock: 'M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8 11V7a4 4 0 0 1 8 0v4',
  inbox: 'M3 13l3-8h12l3 8m-18 0v5a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2v-5m-18 0h5l1.5 3h5L16 13h5',
}

/** A line icon; it only decorates, so that screen readers pass it by. */
export function icon(name) {
  return h('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, h('path', { d: paths[name] }))
}

/** The mark of a state: a word, a colour and a dot that is filled, hollow or moving, so that colour is never alone. */
export function chip(state, words = state) {
  return h('span', { class: `chip chip-${state}` }, h('span', { class: 'dot', 'aria-hidden': 'true' }), words)
}

/** `DOE^JANE^M` as `DOE, JANE M`; the alphabetic group only. */
export function personName(value) {
  if (!value) return 'No name'
  const [family = '', ...given] = value
    .split('=')[0]
    .split('^')
    .map((part) => part.trim())
  const rest = given.slice(0, 2).filter(Boolean).join(' ')
  return [family, rest].filter(Boolean).join(', ') || 'No name'
}

/** `20260131` as `2026-01-31`. */
export function dicomDate(value) {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(value ?? '')
  return found ? found.slice(1).join('-') : (value ?? '')
}

const timeFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })

/** A moment, with the exact one to hover over. */
export function moment(at) {
  const date = new Date(at)
  const today = dayFormat.format(date) === dayFormat.format(new Date())
  const words = today ? timeFormat.format(date) : `${dayFormat.format(date)}, ${timeFormat.format(date)}`
  return h('time', { datetime: at, title: at }, words)
}

export function duration(ms) {
  if (ms === null || ms === undefined) return ''
  if (ms < 1000) return `${ms} ms`
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

/** UCUM as people write it. */
export function unitName(ucum) {
  return (
    { "[hnsf'U]": 'HU', '[hnsf’U]': 'HU', 1: '', '{counts}': '', cm3: 'cm³', mm3: 'mm³', mm2: 'mm²', cm2: 'cm²' }[
      ucum
    ] ?? ucum
  )
}

/** As many digits as the measurement is worth. */
export function quantity(value, unit) {
  const digits = unit === 'L' ? 2 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`
}

/** Bytes as people write them. */
export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** unit
  return `${value.toLocaleString(undefined, { maximumFractionDigits: unit > 0 && value < 10 ? 1 : 0 })} ${units[unit]}`
}

/** Buttons to the other pages of a list; nothing where there is one page. */
export function pager(total, { page, pageSize, go }) {
  const last = Math.max(0, Math.ceil(total / pageSize) - 1)
  if (last === 0) return []
  const step = (label, to) =>
    h(
      'button',
      { type: 'button', 'data-key': label, disabled: to < 0 || to > last, onclick: () => go({ page: to }) },
      label,
    )
  return [
    h(
      'nav',
      { class: 'pager', 'aria-label': 'Pages' },
      step('Newer', page - 1),
      h('span', { class: 'muted' }, `Page ${page + 1} of ${last + 1}`),
      step('Older', page + 1),
    ),
  ]
}

/** Asks the API. A failure is an Error with the problem's own sentence and its status. */
export async function call(path, { method = 'GET', body } = {}) {
  let response
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw Object.assign(new Error('The node does not answer. It may be restarting.'), { status: 0 })
  }
  const text = await response.text()
  const answer = text === '' ? null : JSON.parse(text)
  if (!response.ok)
    throw Object.assign(new Error(answer?.detail ?? `HTTP ${response.status}`), {
      status: response.status,
      code: answer?.code,
    })
  return answer
}
