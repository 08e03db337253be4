import { call, chip, dicomDate, h, icon, moment, pager, personName, plural, quantity, unitName } from './dom.js'

const pageSize = 25
const states = [
  ['', 'All'],
  ['receiving', 'Receiving'],
  ['processing', 'Processing'],
  ['done', 'Done'],
  ['failed', 'Failed'],
]

/**
 * The list of studies, with search, states and pages.
 * @returns what to call when something has changed
 */
export function listPage(page) {
  const query = new URLSearchParams(location.search)
  const at = {
    search: query.get('search') ?? '',
    state: query.get('state') ?? '',
    page: Number(query.get('page') ?? 0) || 0,
  }
  const body = h('div', { class: 'list' }, page.skeleton())
  const tally = h('span', { class: 'muted', role: 'status' })
  const input = h('input', {
    type: 'search',
    placeholder: 'Name, patient ID, accession or UID',
    'aria-label': 'Search studies',
    value: at.search,
  })
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'State' })
  let asked = 0

  const go = (change) => {
    Object.assign(at, { page: 0 }, change)
    const next = new URLSearchParams(
      Object.entries(at)
        .filter(([, value]) => value)
        .map(([key, value]) => [key, String(value)]),
    )
    history.replaceState(null, '', next.size ? `/admin?${next}` : '/admin')
    load()
  }
  const load = async () => {
    const mine = ++asked
    tabs.replaceChildren(
      ...states.map(([value, label]) =>
        h(
          'button',
          { type: 'button', 'aria-pressed': String(at.state === value), onclick: () => go({ state: value }) },
          label,
        ),
      ),
    )
    const asking = new URLSearchParams({ limit: pageSize, offset: at.page * pageSize })
    if (at.search) asking.set('search', at.search)
    if (at.state) asking.set('state', at.state)
    try {
      const answer = await call(`/studies?${asking}`)
      if (mine !== asked) return
      tally.textContent = plural(answer.total, 'study', 'studies')
      body.replaceChildren(
        answer.studies.length > 0 ? studyTable(answer.studies, page) : empty(at),
        ...pager(answer.total, { page: at.page, pageSize, go }),
      )
    } catch (error) {
      if (mine !== asked) return
      if (error.status === 401) return page.toLogin()
      tally.textContent = ''
      body.replaceChildren(page.problem(error, load))
    }
  }
  let typing = null
  input.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(() => go({ search: input.value.trim() }), 250)
  })
  page.frame(
    h('div', { class: 'heading' }, h('h1', {}, 'Studies'), tally),
    h('div', { class: 'tools' }, tabs, h('label', { class: 'search' }, icon('search'), input)),
    body,
  )
  load()
  return load
}

function empty({ search, state }) {
  const searching = search || state
  return h(
    'div',
    { class: 'empty' },
    icon(searching ? 'search' : 'inbox'),
    h('strong', {}, searching ? 'No study matches' : 'No study has arrived yet'),
    h(
      'p',
      { class: 'muted' },
      searching
        ? 'Try part of a name, an accession number, or another state.'
        : 'Send one by C-STORE or STOW-RS; it appears here while it arrives.',
    ),
  )
}

function studyTable(studies, page) {
  const head = ['State', 'Patient', 'Study', 'Accession', 'Modality', 'Instances', 'AI found', 'Changed']
  return h(
    'table',
    { class: 'studies' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        head.map((label) => h('th', { scope: 'col', class: label === 'Instances' ? 'number' : null }, label)),
      ),
    ),
    h(
      'tbody',
      {},
      studies.map((study) => studyRow(study, page)),
    ),
  )
}

function studyRow(study, { follow }) {
  const found = study.findings
    .filter((finding) => !finding.site)
    .concat(study.findings.filter((finding) => finding.site))
    .slice(0, 2)
  return h(
    'tr',
    {},
    h('td', {}, chip(study.state)),
    h(
      'td',
      { class: 'patient' },
      h(
        'a',
        { class: 'row', href: `/admin/studies/${study.studyInstanceUID}`, onclick: follow },
        personName(study.patientName),
      ),
      h('small', {}, study.patientID ?? 'no ID'),
    ),
    h(
      'td',
      { class: 'what' },
      h('span', {}, study.studyDescription || 'No description'),
      h('small', {}, dicomDate(study.studyDate) || 'no date'),
    ),
    h('td', {}, study.accessionNumber || '–'),
    h(
      'td',
      {},
      study.modalities.map((modality) => h('span', { class: 'tag' }, modality)),
    ),
    h(
      'td',
      { class: 'number' },
      study.instances.toLocaleString(),
      study.revision > 1 && h('small', {}, `revision ${study.revision}`),
    ),
    h(
      'td',
      { class: 'found' },
      found.length === 0
        ? h(
            'span',
            { class: 'remark' },
            (['done', 'failed'].includes(study.state) && (study.remark ?? 'no findings')) || '–',
          )
        : found.map((finding) =>
            h(
              'span',
              {},
              `${finding.name} `,
              h('b', {}, `${quantity(finding.value, finding.unit)} ${unitName(finding.unit)}`),
            ),
          ),
    ),
    h('td', { class: 'changed' }, moment(study.updatedAt)),
  )
}
