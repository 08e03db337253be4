import { call } from '../api/call.ts'
import { sentenceOf } from '../api/problem.ts'
import { agreed, type GivenFeedback, ownVerdict, verdictWords } from '../parts/feedback.ts'
import { actorName, plural } from '../words.ts'
import { element } from './element.ts'
import { type JudgedResult, judgedResults } from './judged-results.ts'
import barStyle from './viewer-bar.css?url'

type Worded = 'rejected' | 'comment'
const openKey = 'hilum-bar-open'

/** A strip below the viewer: collapsed one line, else the results with what can be said of each. Not there without results. */
export class ResultsBar extends HTMLElement {
  userName = ''
  #studies: string[] = []
  #results: JudgedResult[] = []
  #isOpen = localStorage.getItem(openKey) === 'yes'
  /** The result, by its UID, whose verdict is being worded. */
  #asked: { of: string; verdict: Worded } | null = null
  readonly #list = element('ul', { id: 'results' })
  readonly #fold = element('button', { class: 'fold', 'aria-controls': 'results', onclick: () => this.#toggle() })
  readonly #summary = element('span')
  readonly #status = element('span', { class: 'status', role: 'status' })

  connectedCallback(): void {
    const root = this.attachShadow({ mode: 'open' })
    const head = element('div', { class: 'head' }, this.#fold, this.#summary, this.#status)
    const bar = element('section', { class: 'bar', 'aria-label': 'AI results' }, head, this.#list)
    root.append(element('link', { rel: 'stylesheet', href: barStyle }), bar)
    // OHIF's shortcuts listen on the document: what is typed here is not for them.
    for (const kind of ['keydown', 'keyup', 'keypress']) this.addEventListener(kind, (event) => event.stopPropagation())
    this.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#escape())
    this.hidden = true
    new ResizeObserver(() => this.#makeRoom()).observe(this)
  }

  /** Shows the results of other studies. */
  show(studies: string[]): void {
    this.#studies = studies
    this.#results = []
    this.#asked = null
    this.#draw()
    void this.refresh()
  }

  /** Asks for what there is now. */
  async refresh(): Promise<void> {
    const studies = this.#studies
    if (studies.length === 0) return
    try {
      const results = await judgedResults(studies)
      if (studies !== this.#studies) return
      this.#results = results
      // What somebody is writing stays as it is.
      if (this.#asked === null) this.#draw()
    } catch (error) {
      this.#say(sentenceOf(error), 'bad')
    }
  }

  #draw(): void {
    const focused = (this.shadowRoot?.activeElement as HTMLElement | null)?.dataset.key
    this.hidden = this.#results.length === 0
    this.#fold.textContent = plural(this.#results.length, 'AI result')
    this.#fold.setAttribute('aria-expanded', String(this.#isOpen))
    const unverified = this.#results.filter(({ given }) => agreed(given) === null).length
    this.#summary.className = unverified > 0 ? 'unverified' : 'muted'
    this.#summary.textContent = unverified > 0 ? `${unverified} unverified` : 'all looked at'
    this.#list.hidden = !this.#isOpen
    this.#list.replaceChildren(...this.#results.map((result) => this.#row(result)))
    if (focused) this.#focus(focused)
    this.#makeRoom()
  }

  #row(result: JudgedResult): HTMLElement {
    const own = ownVerdict(result.given, this.userName)?.verdict
    const comments = result.given.filter(({ verdict }) => verdict === 'comment').length
    const asked = this.#asked?.of === result.sopInstanceUID ? this.#asked.verdict : null
    const button = (verdict: 'accepted' | Worded, press: () => void) =>
      element(
        'button',
        {
          'data-key': `${verdict} ${result.sopInstanceUID}`,
          'aria-label': `${verdictWords[verdict].act}: ${result.name}`,
          ...(verdict === 'comment' ? {} : { 'aria-pressed': String(own === verdict) }),
          ...(verdict === 'accepted' ? {} : { 'aria-expanded': String(asked === verdict) }),
          onclick: press,
        },
        verdictWords[verdict].act,
      )
    const acts = element(
      'div',
      { class: 'acts' },
      button('accepted', () => void this.#give(result, { verdict: 'accepted' })),
      button('rejected', () => this.#ask(result, 'rejected')),
      button('comment', () => this.#ask(result, 'comment')),
    )
    const row = element(
      'li',
      {},
      element('span', { class: 'name' }, result.name),
      element('span', { class: 'muted' }, result.algorithm),
      verdictOf(result),
      ...(comments > 0 ? [element('span', { class: 'muted' }, plural(comments, 'comment'))] : []),
      acts,
    )
    if (asked) row.append(this.#form(result, asked))
    return row
  }

  #form(result: JudgedResult, verdict: Worded): HTMLElement {
    const key = `words ${result.sopInstanceUID}`
    const words = element('textarea', { required: true, maxlength: '2000', 'data-key': key })
    const send = (event: Event) => {
      event.preventDefault()
      if (words.value.trim() !== '') void this.#give(result, { verdict, reason: words.value })
    }
    return element(
      'form',
      { onsubmit: send },
      element('label', {}, verdictWords[verdict].asks, words),
      element('button', { type: 'submit' }, verdict === 'rejected' ? 'Reject it' : 'Keep the comment'),
      element('button', { type: 'button', onclick: () => this.#ask(result, null) }, 'Cancel'),
    )
  }

  /** Opens the words of a verdict, or closes them. */
  #ask(result: JudgedResult, verdict: Worded | null): void {
    const before = this.#asked
    const isClosed = verdict === null || (before?.of === result.sopInstanceUID && before.verdict === verdict)
    this.#asked = isClosed ? null : { of: result.sopInstanceUID, verdict }
    this.#draw()
    this.#focus(isClosed ? `${before?.verdict} ${result.sopInstanceUID}` : `words ${result.sopInstanceUID}`)
  }

  async #give({ sopInstanceUID, name }: JudgedResult, body: GivenFeedback): Promise<void> {
    try {
      await call('POST /results/{sopInstanceUID}/feedback', { path: { sopInstanceUID }, body })
    } catch (error) {
      return this.#say(`${name}: ${sentenceOf(error)}`, 'bad')
    }
    this.#say(`${name}: ${verdictWords[body.verdict].done}`, 'good')
    this.#asked = null
    await this.refresh()
    this.#focus(`${body.verdict} ${sopInstanceUID}`)
  }

  #toggle(): void {
    this.#isOpen = !this.#isOpen
    localStorage.setItem(openKey, this.#isOpen ? 'yes' : 'no')
    this.#asked = null
    this.#draw()
    if (this.#isOpen) void this.refresh()
  }

  #escape(): void {
    const asked = this.#asked
    const result = this.#results.find(({ sopInstanceUID }) => sopInstanceUID === asked?.of)
    if (result) return this.#ask(result, null)
    if (this.#isOpen) this.#toggle()
    this.#fold.focus()
  }

  #say(sentence: string, tone: 'good' | 'bad'): void {
    this.#status.dataset.tone = tone
    this.#status.textContent = sentence
  }

  #focus(key: string): void {
    for (const one of this.#list.querySelectorAll<HTMLElement>('[data-key]')) if (one.dataset.key === key) one.focus()
  }

  /** OHIF gets the height that is left. */
  #makeRoom(): void {
    const page = document.documentElement
    page.toggleAttribute('data-hilum-bar', !this.hidden)
    page.style.setProperty('--hilum-bar-height', `${this.hidden ? 0 : this.offsetHeight}px`)
  }
}

/** What stands beside a result: that nobody has looked at it, or what was said last. */
function verdictOf({ given }: JudgedResult): HTMLElement {
  const verdict = agreed(given)
  if (verdict === null) return element('span', { class: 'unverified' }, 'Unverified')
  if (verdict === 'disputed') return element('span', { class: 'disputed' }, 'Readers disagree')
  const last = given.find((one) => one.current && one.verdict === verdict)
  const reason = last?.reason ? `: ${last.reason}` : ''
  return element(
    'span',
    { class: verdict },
    `${verdictWords[verdict].said} by ${actorName(last?.givenBy ?? '')}${reason}`,
  )
}
