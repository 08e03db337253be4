import { type Html, html } from './html.ts'

/** An axis from its least to its greatest value, with the values that are written beside it. */
export interface Axis {
  label: string
  range: readonly [number, number]
  ticks: readonly number[]
  tickText?: (tick: number) => string
  logarithmic?: boolean
}

/** What is drawn, in values of the axes. */
export type Mark =
  | { kind: 'line'; points: readonly (readonly [number, number])[]; class: string }
  | {
      kind: 'points'
      points: readonly (readonly [number, number])[]
      class: string
      radius?: number
      titles?: readonly string[]
    }
  | { kind: 'level'; y: number; class: string; text?: string }
  | { kind: 'bars'; bars: readonly { from: number; to: number; height: number }[]; class: string }

const size = { width: 400, height: 300 }
const margin = { left: 58, right: 14, top: 12, bottom: 46 }

/** A picture of values in two axes, as SVG without scripts. */
export function plot(title: string, { x, y, marks }: { x: Axis; y: Axis; marks: readonly Mark[] }): Html {
  const across = scaleOf(x, margin.left, size.width - margin.right)
  const down = scaleOf(y, size.height - margin.bottom, margin.top)
  const [bottom, right] = [size.height - margin.bottom, size.width - margin.right]
  return html`<svg class="plot" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}">
<g class="grid">${x.ticks.map((tick) => html`<line x1="${n(across(tick))}" x2="${n(across(tick))}" y1="${margin.top}" y2="${bottom}"/>`)}
${y.ticks.map((tick) => html`<line x1="${margin.left}" x2="${right}" y1="${n(down(tick))}" y2="${n(down(tick))}"/>`)}</g>
<g class="ticks">${x.ticks.map((tick) => html`<text x="${n(across(tick))}" y="${bottom + 15}" text-anchor="middle">${tickText(x, tick)}</text>`)}
${y.ticks.map((tick) => html`<text x="${margin.left - 7}" y="${n(down(tick) + 4)}" text-anchor="end">${tickText(y, tick)}</text>`)}</g>
<path class="axis" d="M${margin.left} ${margin.top}V${bottom}H${right}"/>
<text class="label" x="${(margin.left + right) / 2}" y="${size.height - 8}" text-anchor="middle">${x.label}</text>
<text class="label" transform="translate(14 ${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
${marks.map((mark) => drawn(mark, { across, down, bottom, right }))}</svg>`
}

interface Place {
  across: (value: number) => number
  down: (value: number) => number
  bottom: number
  right: number
}

function drawn(mark: Mark, { across, down, bottom, right }: Place): Html {
  switch (mark.kind) {
    case 'line':
      return html`<polyline class="${mark.class}" points="${mark.points.map(([a, b]) => `${n(across(a))},${n(down(b))}`).join(' ')}"/>`
    case 'points':
      return html`${mark.points.map(
        ([a, b], index) =>
          html`<circle class="${mark.class}" cx="${n(across(a))}" cy="${n(down(b))}" r="${mark.radius ?? 3.2}">${mark.titles?.[index] === undefined ? null : html`<title>${mark.titles[index]}</title>`}</circle>`,
      )}`
    case 'level':
      return html`<line class="${mark.class}" x1="${margin.left}" x2="${right}" y1="${n(down(mark.y))}" y2="${n(down(mark.y))}"/>${mark.text === undefined ? null : html`<text class="note" x="${right - 3}" y="${n(down(mark.y) - 4)}" text-anchor="end">${mark.text}</text>`}`
    case 'bars':
      return html`${mark.bars.map(({ from, to, height }) => html`<rect class="${mark.class}" x="${n(across(from) + 1)}" width="${n(Math.max(0, across(to) - across(from) - 2))}" y="${n(down(height))}" height="${n(bottom - down(height))}"/>`)}`
  }
}

function scaleOf({ range, logarithmic }: Axis, from: number, to: number): (value: number) => number {
  const place = logarithmic ? Math.log : (value: number): number => value
  const [low, high] = [place(range[0]), place(range[1])]
  return (value) => {
    const part = (place(Math.min(range[1], Math.max(range[0], value))) - low) / (high - low)
    return from + part * (to - from)
  }
}

function tickText({ tickText: text }: Axis, tick: number): string {
  return text ? text(tick) : String(tick).replace('-', '−')
}

/** Coordinates need no more than a tenth. */
function n(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** An axis from 0 to 1. */
export function unitAxis(label: string): Axis {
  return { label, range: [0, 1], ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }
}

/** An axis around values, with round ticks. */
export function axisAround(label: string, values: readonly number[]): Axis {
  const low = Math.min(...values)
  const high = Math.max(...values)
  const room = (high - low) * 0.08 || Math.abs(low) * 0.1 || 1
  const range = [low - room, high + room] as const
  const rough = (range[1] - range[0]) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power
  const ticks: number[] = []
  for (let tick = Math.ceil(range[0] / step) * step; tick <= range[1]; tick += step)
    ticks.push(Number(tick.toPrecision(10)))
  return { label, range, ticks }
}
