import { call, h } from './dom.js'

/**
 * Puts new elements in the place of the old, and keeps the focus on what has the same `data-key`: a list that changes by itself must not
 * take it away from somebody who works with the keyboard.
 */
export function redraw(body, ...elements) {
  const held = body.contains(document.activeElement) ? document.activeElement.dataset.key : undefined
  body.replaceChildren(...elements)
  if (held !== undefined) body.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true })
}

/**
 * A button that asks the API for something. A failure is said beside it, and stays until the next attempt.
 * @param options.sure asked before it is done; a second press does it
 */
export function actButton({ key, label, sure, kind = 'small', path, method = 'POST', body, done, disabled }) {
  let isSure = sure === undefined
  const failure = h('span', { class: 'failure', role: 'alert' })
  const calm = () => {
    if (sure === undefined || button.disabled) return
    isSure = false
    button.classList.remove('sure')
    button.textContent = label
  }
  const button = h(
    'button',
    {
      type: 'button',
      class: kind,
      'data-key': key,
      disabled,
      onblur: calm,
      onkeydown: (event) => event.key === 'Escape' && calm(),
      onclick: async () => {
        failure.textContent = ''
        if (!isSure) {
          isSure = true
          button.classList.add('sure')
          button.textContent = sure
          return
        }
        button.disabled = true
        try {
          const answer = await call(path, { method, body: typeof body === 'function' ? body() : body })
          await done(answer)
        } catch (error) {
          failure.textContent = error.message
        } finally {
          button.disabled = false
          if (button.isConnected) calm()
        }
      },
    },
    label,
  )
  return h('span', { class: 'act' }, button, failure)
}

/** Nothing is there, or nothing is to be seen. */
export function nothing(sign, title, text) {
  return h('div', { class: 'empty small-empty' }, sign, h('strong', {}, title), h('p', { class: 'muted' }, text))
}
