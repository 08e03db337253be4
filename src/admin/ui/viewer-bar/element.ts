type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void)>>

/**
 * An element with its attributes and children. Texts are only ever text. A function is a listener: `{ onclick: press }`; `false` leaves an
 * attribute out.
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key.slice(2), value)
    else if (value !== false) made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children)
  return made
}
