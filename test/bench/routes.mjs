// Routes: `npm run bench:routes [-- --studies 10000 --url postgres://…]`. Prints one table.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { keywordOf, standardElements } from '../../dist/dicom/dictionary.js'
import { Replays } from '../../dist/flow/replays.js'
import { RouteVocabulary } from '../../dist/flow/route-vocabulary.js'
import { applyRoutes } from '../../dist/flow/routes.js'
import { silentLog } from '../../dist/log.js'
import { evaluateRoutes } from '../../dist/route/evaluate-routes.js'
import { explainRoutes } from '../../dist/route/explain.js'
import { parseRouteDefinition } from '../../dist/route/route-definition.js'
import { migrate, openDatabase } from '../../dist/store/database.js'

const { values } = parseArgs({ options: { studies: { type: 'string' }, url: { type: 'string' } } })
const studies = Number(values.studies ?? 10_000)
const seriesOfEach = 3

/** A header of about a hundred elements, as scanners send them. */
const texts = [...standardElements()]
  .filter(
    ({ tag, vr, keyword }) => /^00(08|18|20|28|40)/.test(tag) && ['LO', 'SH', 'CS', 'DS', 'IS'].includes(vr) && keyword,
  )
  .slice(0, 110)
function header(i, own) {
  const elements = {}
  for (const { tag, vr } of texts)
    elements[tag] = { vr, Value: [vr === 'DS' || vr === 'IS' ? (i % 50) + 0.5 : `value ${i % 37} of ${tag}`] }
  const item = { '00080100': { vr: 'SH', Value: ['24627-2'] }, '00080104': { vr: 'LO', Value: ['CT CHEST'] } }
  elements['00400260'] = { vr: 'SQ', Value: Array.from({ length: 10 }, () => item) }
  return JSON.stringify({ ...elements, ...own })
}
const own = (modality, thickness, n) => ({
  '00080060': { vr: 'CS', Value: [modality] },
  '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY', n % 4 === 0 ? 'LOCALIZER' : 'AXIAL'] },
  '00180050': { vr: 'DS', Value: [thickness] },
  '00200011': { vr: 'IS', Value: [n] },
  '00180060': { vr: 'DS', Value: [100 + (n % 5) * 10] },
})

function route(name, where, more = {}) {
  const inputs = { ct: { where, prefer: ['thinnest-slices', 'most-instances'] } }
  const parsed = parseRouteDefinition({ name, inputs, pipeline: 'some', destinations: ['self'], ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

const rows = []
const row = (what, number, unit, limit) => rows.push({ what, measured: `${number} ${unit}`, limit: limit ?? '' })
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

/** 500 routes that differ, on a study of 20 series. */
function evaluation() {
  const routes = Array.from({ length: 500 }, (_, i) => ({
    version: 1,
    definition: route(
      `route-${i}`,
      `series.Modality == "${['CT', 'MR', 'PT'][i % 3]}" && series.SliceThickness <= ${1 + (i % 9)} && series.instances >= ${i % 60} && !("LOCALIZER" in series.ImageType)`,
      i % 5 === 0 ? { when: `study.Modalities.exists(m, m == "CT") && study.instances > ${i}` } : {},
    ),
  }))
  const study = (salt) => ({
    studyInstanceUID: `2.25.${salt}`,
    header: JSON.parse(header(salt, {})),
    series: Array.from({ length: 20 }, (_, n) => ({
      seriesInstanceUID: `2.25.${salt}.${n}`,
      header: JSON.parse(header(n + salt, own(['CT', 'MR'][n % 2], 1 + (n % 6), n))),
      instances: 10 + n * 7,
    })),
  })
  const first = performance.now()
  evaluateRoutes(routes, study(1))
  row('500 routes on 20 series, the first time (compiles)', (performance.now() - first).toFixed(1), 'ms')
  const cpu = process.cpuUsage()
  const times = Array.from({ length: 50 }, (_, i) => {
    const one = study(i + 2)
    const begun = performance.now()
    evaluateRoutes(routes, one)
    return performance.now() - begun
  })
  row('… processor time of each, the study being built too', (process.cpuUsage(cpu).user / 50_000).toFixed(1), 'ms')
  row('500 routes on 20 series, median of 50', median(times).toFixed(1), 'ms', '< 20 ms')
  const begun = performance.now()
  explainRoutes(routes, study(99), { names: new Set(['route-7']) })
  row('… with one of them explained', (performance.now() - begun).toFixed(1), 'ms')
}

async function fill(database, now) {
  for (let from = 0; from < studies; from += 200) {
    const numbers = Array.from({ length: Math.min(200, studies - from) }, (_, i) => from + i)
    await database.transaction(async (trx) => {
      const at = (i) => new Date(now - (i / studies) * 28 * 86_400_000).toISOString()
      await trx.batchInsert(
        'studies',
        numbers.map((i) => ({
          id: i + 1,
          study_instance_uid: `2.25.${i}`,
          header: JSON.stringify({ '00100040': { vr: 'CS', Value: [i % 2 ? 'F' : 'M'] } }),
          state: 'done',
          revision: 1,
          last_instance_at: at(i),
          created_at: at(i),
          updated_at: at(i),
        })),
        50,
      )
      await trx.batchInsert(
        'revisions',
        numbers.map((i) => ({
          study_id: i + 1,
          number: 1,
          completed_at: at(i),
          reason: 'bench',
          instances: 1,
          members: '{}',
          routed: 1,
        })),
        50,
      )
      await trx.batchInsert(
        'series',
        numbers.flatMap((i) =>
          Array.from({ length: seriesOfEach }, (_, n) => ({
            study_id: i + 1,
            series_instance_uid: `2.25.${i}.${n}`,
            origin: 'source',
            instances: 20 + ((i + n) % 200),
            header: header(i + n, own(['CT', 'MR', 'PT'][(i + n) % 3], 1 + ((i + n) % 6), n)),
            created_at: at(i),
          })),
        ),
        50,
      )
    })
  }
}

async function replays(database, options) {
  const where = 'series.Modality == "CT" && series.SliceThickness <= 3 && !("LOCALIZER" in series.ImageType)'
  await applyRoutes(database, [route('lung', where)], { at: new Date().toISOString(), author: 'bench' })
  const runner = new Replays({ database: options, log: silentLog })
  const idle = monitorEventLoopDelay({ resolution: 1 })
  idle.enable()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  idle.disable()
  row('the event loop of this machine doing nothing for 3 s, longest', (idle.max / 1e6).toFixed(0), 'ms')
  const replay = async (what, definition) => {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const begun = performance.now()
    const cpu = process.cpuUsage()
    const { id } = runner.start({ definition, days: 30, now: new Date().toISOString() }, 'bench')
    while (runner.get(id).state === 'running') await new Promise((resolve) => setTimeout(resolve, 20))
    const seconds = (performance.now() - begun) / 1000
    delay.disable()
    const { result, error } = runner.get(id)
    if (!result) throw new Error(error)
    row(
      `${what}: ${result.matched} of ${result.studies} match, ${result.differences.length} differences listed`,
      seconds.toFixed(2),
      's',
      '< 10 s',
    )
    const used = process.cpuUsage(cpu)
    row('… processor time', ((used.user + used.system) / 1e6).toFixed(2), 's')
    row('… the event loop of the node meanwhile, longest', (delay.max / 1e6).toFixed(0), 'ms', '< 50 ms')
  }
  await replay(
    `replay over ${studies} studies of ${seriesOfEach} series`,
    route('lung', where.replace('LOCALIZER', 'AXIAL')),
  )
  const others = Array.from({ length: 49 }, (_, i) => route(`other-${i}`, where.replace('<= 3', `<= ${i % 9}`)))
  await applyRoutes(database, [route('lung', where), ...others], { at: new Date().toISOString(), author: 'bench' })
  await replay('the same among 50 routes, one of which stops', route('lung', where, { stop: true }))
  await runner.stop()
}

async function words(database) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const begun = performance.now()
  const found = await new RouteVocabulary(database).find({ search: '', limit: 200 })
  row(
    `words for conditions: ${found.fields.length} fields of ${found.studies} studies`,
    ((performance.now() - begun) / 1000).toFixed(2),
    's',
  )
  delay.disable()
  row('… the event loop meanwhile, longest', (delay.max / 1e6).toFixed(0), 'ms', '< 50 ms')
}

if (keywordOf('00080060') !== 'Modality') throw new Error('npm run setup first')
evaluation()
const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-bench-routes-'))
const options = { url: values.url ?? '', dataDir }
const database = await openDatabase({ ...options, log: silentLog })
try {
  await migrate(database)
  await fill(database, Date.now())
  await replays(database, options)
  await words(database)
} finally {
  await database.destroy()
  rmSync(dataDir, { recursive: true, force: true })
}
console.table(rows)
