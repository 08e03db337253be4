import { call } from '../api/call.ts'
import { sentenceOf } from '../api/problem.ts'
import { openStudies } from './judged-results.ts'
import { ResultsBar } from './results-bar.ts'
import pageStyle from './viewer-page.css?url'

/** ms; OHIF changes its address without telling anybody. */
const lookEvery = 500

/**
 * The bar below OHIF by which readers judge the results of the study that is open. Whoever may not judge sees nothing of it.
 * A module that OHIF's page loads: what goes wrong here must not touch the viewer.
 */
async function start(): Promise<void> {
  const { name, permissions } = await call('GET /session')
  if (!permissions.includes('feedback.give')) return
  const style = document.createElement('link')
  style.rel = 'stylesheet'
  style.href = pageStyle
  document.head.append(style)
  customElements.define('hilum-results', ResultsBar)
  const bar = new ResultsBar()
  bar.userName = name
  document.body.append(bar)
  let shown = ''
  const follow = () => {
    if (location.search === shown) return
    shown = location.search
    bar.show(openStudies(shown))
  }
  follow()
  setInterval(follow, lookEvery)
  // Results that came meanwhile; a stream of events would hold one of the few connections that the images come by.
  addEventListener('focus', () => void bar.refresh())
}

start().catch((error: unknown) => console.warn(`Hilum: no bar for results: ${sentenceOf(error)}`))
