/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Content = string | number | null | undefined | Html | readonly Content[]

/** HTML in which everything that is put in is escaped, unless it is HTML itself; null is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.reduce((text, part, index) => `${text}${textOf(values[index - 1])}${part}`))
}

function textOf(value: Content): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(textOf).join('')
  return escaped(String(value))
}

/** For text between tags and in quoted attributes. Control characters, which XML does not know, are left out. */
export function escaped(text: string): string {
  return text
    .replace(/\p{Cc}/gu, (character) => (/\s/.test(character) ? ' ' : ''))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** A number for people; a dash where there is none. */
export function shown(value: number | null | undefined, decimals = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  return value.toFixed(decimals).replace('-', '−')
}

/** With as many decimals as four digits ask for. */
export function measured(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const whole = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1
  return shown(value, Math.min(4, Math.max(0, 4 - whole)))
}

/** `0.71 to 0.93`, or nothing. */
export function between(interval: readonly [number, number] | null, format: (value: number) => string = shown): string {
  return interval ? `${format(interval[0])} to ${format(interval[1])}` : ''
}
