import type { Knex } from 'knex'
import { blankPicture, drawText, fillRectangle, textWidth } from '../encode/picture.ts'
import { encodePNG } from '../encode/png.ts'
import type { EventDetail } from '../notify/events.ts'
import { fillIn } from '../notify/template.ts'
import { smallestCount, withoutSmallCounts } from '../store/insights/small-counts.ts'

const dayMs = 86_400_000

interface Line {
  title: string
  /** By day, the oldest first; null: not told. */
  days: (number | null)[]
  total: number | null
}

/** The last seven whole days, UTC, in numbers and pictures: what came, what was found, what failed. Small numbers are not told. */
export async function weeklyReport(database: Knex, now: Date): Promise<EventDetail> {
  const end = Math.floor(now.getTime() / dayMs) * dayMs
  const days = Array.from({ length: 7 }, (_, i) => new Date(end - (7 - i) * dayMs).toISOString().slice(0, 10))
  const [from, to] = [days[0] ?? '', new Date(end).toISOString().slice(0, 10)]
  const within = (table: string, column: string) =>
    database(table)
      .where(column, '>=', from)
      .andWhere(column, '<', to)
      .select(database.raw('substr(??, 1, 10) as day', [column]))
  const count = async (title: string, rows: Knex.QueryBuilder): Promise<Line> => {
    const found: { day: string; n: number | string }[] = await rows.count({ n: '*' }).groupBy('day')
    const counts = days.map((day) => Number(found.find((row) => row.day === day)?.n ?? 0))
    const total = counts.reduce((sum, one) => sum + one, 0)
    // Where the sum itself is small it is not told either.
    return { title, days: withoutSmallCounts(counts), total: total > 0 && total < smallestCount ? null : total }
  }
  const ended = (kind: string, state: string) =>
    within('jobs', 'finished_at').where({ kind, state, shadow: 0, cancelled: 0 })
  const lines = [
    await count('Studies that came', within('studies', 'created_at')),
    await count('Inferences done', ended('infer', 'done')),
    await count('Inferences failed', ended('infer', 'failed').where({ refused: 0 })),
    await count('Deliveries done', ended('deliver', 'done')),
    await count('Deliveries failed', ended('deliver', 'failed')),
    await count('Critical findings', within('study_events', 'at').where({ kind: 'critical' })),
  ]
  const sentence = `the week from ${from} to ${days[6] ?? ''}`
  const rows = lines.map(({ title, total, days: values }, index) => ({
    title,
    total: told(total),
    days: values.map((value) => ({ value: told(value) })),
    picture: `chart-${index + 1}`,
  }))
  return {
    sentence,
    html: fillIn(page, { sentence, heads: days.map((value) => ({ value })), rows }, 'html'),
    pictures: lines.map(({ title, days: values }, index) => ({
      name: `chart-${index + 1}`,
      png: encodePNG(chart(title, values, days)).toString('base64'),
    })),
    reason: rows.map(({ title, total }) => `${title}: ${total}`).join('; '),
  }
}

function told(count: number | null): string {
  return count === null ? '–' : String(count)
}

const page = `<h1>Hilum: {{sentence}}</h1>
<table border="1" cellpadding="4" style="border-collapse:collapse">
<tr><th></th>{{#heads}}<th>{{value}}</th>{{/heads}}<th>Sum</th></tr>
{{#rows}}<tr><th align="left">{{title}}</th>{{#days}}<td align="right">{{value}}</td>{{/days}}<td align="right"><b>{{total}}</b></td></tr>
{{/rows}}</table>
{{#rows}}<p><img src="cid:{{picture}}" alt="{{title}}, by day" width="560" height="140"></p>
{{/rows}}<p>Numbers under ${smallestCount} are not told, nor what they could be had from. Days are of UTC.</p>`

const [paper, ink, bar] = [
  [255, 255, 255],
  [40, 40, 40],
  [34, 139, 230],
] as const

/** Bars of seven days; there is none for a number that is not told. */
function chart(title: string, values: readonly (number | null)[], days: readonly string[]) {
  const picture = blankPicture(560, 140)
  fillRectangle(picture, { x: 0, y: 0, width: 560, height: 140 }, paper)
  drawText(picture, title, { x: 8, y: 6, scale: 2, colour: ink })
  const most = Math.max(smallestCount, ...values.map((value) => value ?? 0))
  for (const [i, value] of values.entries()) {
    const height = Math.round(((value ?? 0) / most) * 70)
    const x = 20 + i * 76
    fillRectangle(picture, { x, y: 120 - height, width: 52, height }, bar)
    const words = value === null ? '-' : String(value)
    drawText(picture, words, {
      x: x + Math.round((52 - textWidth(words, 1)) / 2),
      y: 110 - height,
      scale: 1,
      colour: ink,
    })
    drawText(picture, days[i]?.slice(5) ?? '', { x: x + 10, y: 126, scale: 1, colour: ink })
  }
  return picture
}
