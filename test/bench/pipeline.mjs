/**
 * Time and memory of a whole pipeline, from DICOM files to SEG and SR files, beside the same job in Python (pipeline_python.py: pydicom,
 * numpy, scipy, the model in the same ONNX Runtime). Both run `models/ct-lung-density` as a command of their own: starting up counts for
 * both. They take turns, and the table shows medians. Processor time is the figure to compare on a machine with other work; memory is the
 * largest sum of what the processes of one side held at a time.
 *
 *   node test/bench/pipeline.mjs [RUNS] [phantom|nlst …]
 *
 * Python's pydicom decodes no JPEG-LS without further packages, so both get the chest CT of ../shared/data decompressed by dcmdjpls; a row
 * of its own shows Hilum on the files as they are. Needs dcmtk for this, and /usr/bin/python3 with pydicom, numpy and scipy.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { measuredRun, median } from './measured-run.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '../..')
const model = path.join(root, 'models/ct-lung-density')
const chest = path.join(root, '../shared/data/ct-chest-nlst')
const threads = availableParallelism()

async function writePhantomTo(folder) {
  const { chestPhantom, writePhantom } = await import('../../dist/demo/phantom.js')
  await writePhantom(folder, chestPhantom({ slices: 300, rows: 512, columns: 512 }))
}

function chestFolder() {
  const series = existsSync(chest) ? readdirSync(chest).find((name) => name.startsWith('CT_')) : undefined
  return series === undefined ? null : path.join(chest, series)
}

function decompress(from, folder) {
  mkdirSync(folder)
  for (const name of readdirSync(from)) execFileSync('dcmdjpls', [path.join(from, name), path.join(folder, name)])
}

const hilum = (input, out) => [
  process.execPath,
  path.join(root, 'dist/main.js'),
  'pipeline',
  'run',
  model,
  '--input',
  `ct=${input}`,
  '--out',
  out,
  '--outputs',
  'segmentation,measurement-report',
  '--threads',
  String(threads),
]
const python = (input, out) => [
  '/usr/bin/python3',
  path.join(here, 'pipeline_python.py'),
  input,
  out,
  path.join(model, 'model.onnx'),
  path.join(here, 'pipeline-model.mjs'),
  String(threads),
]

/** Litres of left and right lung and of both, as each side says them. */
function volumesOf(side, output) {
  if (side === 'python') {
    const { findings } = JSON.parse(output)
    return ['total', 'left', 'right'].map((name) => findings[`volume-${name}`])
  }
  return ['Total lung', 'Left lung', 'Right lung'].map((name) =>
    Number(new RegExp(`^${name} volume: ([\\d.]+) L`, 'm').exec(output)?.[1]),
  )
}

/** Whether the frames of two segmentations are the same: their pixel data is at the end of the files. */
function haveSameFrames(one, other) {
  const [a, b] = [one, other].map((folder) => readFileSync(path.join(folder, 'segmentation.dcm')))
  const from = (bytes) => bytes.length - bytes.readUInt32LE(bytes.lastIndexOf(Buffer.from('e07f1000', 'hex')) + 8)
  return a.subarray(from(a)).equals(b.subarray(from(b)))
}

const runs = Number(process.argv[2] ?? 3)
const wanted = process.argv.slice(3)
const folder = mkdtempSync(path.join(tmpdir(), 'hilum-bench-'))
try {
  const jobs = []
  if (wanted.length === 0 || wanted.includes('phantom')) {
    const input = path.join(folder, 'phantom')
    await writePhantomTo(input)
    jobs.push({ name: 'phantom 512x512x300', input, sides: { python, hilum } })
  }
  const series = chestFolder()
  if (series && (wanted.length === 0 || wanted.includes('nlst'))) {
    const input = path.join(folder, 'nlst')
    decompress(series, input)
    jobs.push({
      name: 'chest CT 512x512x143',
      input,
      sides: { python, hilum, 'hilum, JPEG-LS': (_, out) => hilum(series, out) },
    })
  } else if (!series) console.log(`${chest}: not there, left out`)
  console.log(`medians of ${runs} runs, ${threads} threads; load ${loadavg()[0].toFixed(1)} at the start`)
  for (const { name, input, sides } of jobs) await compare(name, input, sides)
  console.log(`load ${loadavg()[0].toFixed(1)} at the end`)
} finally {
  rmSync(folder, { recursive: true })
}

async function compare(name, input, sides) {
  const found = Object.fromEntries(Object.keys(sides).map((side) => [side, []]))
  const outOf = (side) => path.join(folder, `out-${Object.keys(sides).indexOf(side)}`)
  for (let run = 0; run < runs; run++)
    // One begins in one run, the other in the next.
    for (const side of run % 2 === 0 ? Object.keys(sides) : Object.keys(sides).reverse()) {
      const out = outOf(side)
      rmSync(out, { recursive: true, force: true })
      mkdirSync(out)
      found[side].push(await measuredRun(sides[side](input, out)))
    }
  console.log(`\n${name.padEnd(24)}    wall s         cpu s       peak MB`)
  const middle = (side, key) => median(found[side].map((one) => one[key]))
  for (const side of Object.keys(sides)) {
    const cell = (key, scale, digits) => {
      const [own, reference] = [middle(side, key), middle('python', key)]
      return `${(own / scale).toFixed(digits).padStart(8)} (${(own / reference).toFixed(2)})`
    }
    console.log(`  ${side.padEnd(18)}${cell('wall', 1, 2)}${cell('cpu', 1, 2)}${cell('peak', 1e6, 0)}`)
  }
  const [expected, own] = ['python', 'hilum'].map((side) => volumesOf(side, found[side][0].output))
  const off = Math.max(...expected.map((litres, i) => Math.abs(own[i] / litres - 1)))
  const voxels = haveSameFrames(outOf('python'), outOf('hilum'))
    ? 'all voxels are the same'
    : 'not all voxels are the same'
  console.log(`  volumes ${own.map((v) => v.toFixed(3)).join(', ')} L, off by ${(off * 100).toFixed(3)} %; ${voxels}`)
  if (!(off < 0.005)) throw new Error(`the results differ: ${expected.join(', ')} and ${own.join(', ')} L`)
}
