/**
 * Time and memory of writing one segmentation: five labels on 512 x 512 x 300, from an array of labels to a file. Each writer runs in a
 * process of its own, one after the other: ours (BINARY from labels, BINARY from one mask a segment, LABELMAP with RLE and without), and
 * dcmjs's own, which needs the source's pixels in memory. Processor time is the figure to compare on a machine with other work. Build
 * first (`npm run build`).
 *
 *   node test/bench/segmentation.mjs [RUNS]
 */
import { fork } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const size = { rows: 512, columns: 512, slices: 300, labels: 5 }
const pixels = size.rows * size.columns
const writers = ['dcmjs', 'binary', 'binary-masks', 'label-map', 'label-map-native']

/** Five ellipsoids beside and behind each other: about a quarter of the voxels, 900 frames that are not empty. */
function labelVolume() {
  const labels = new Uint8Array(pixels * size.slices)
  for (let label = 1; label <= size.labels; label++)
    for (let z = 0; z < size.slices; z++) {
      const dz = (z - 60 - label * 30) / 90
      if (Math.abs(dz) >= 1) continue
      for (let y = 0; y < size.rows; y++)
        for (let x = 0; x < size.columns; x++) {
          const dx = (x - (label % 2 ? 160 : 350)) / 120
          const dy = (y - 100 - label * 50) / 110
          const i = z * pixels + y * size.columns + x
          if (labels[i] === 0 && dx * dx + dy * dy + dz * dz < 1) labels[i] = label
        }
    }
  return labels
}

const uid = (...parts) => `1.2.826.0.1.3680043.10.999.${parts.join('.')}`
const code = (value, scheme, meaning) => ({ value, scheme, meaning })
const position = (z) => [-180, -180, -375 + z * 2.5]

/** Writes an iterable of chunks as the worker process does: each before the next is made. */
function writeFile(file, chunks) {
  const fd = openSync(file, 'w')
  for (const chunk of chunks) writeSync(fd, chunk)
  closeSync(fd)
}

async function writeOurs(writer, labels, file) {
  const { encodeSegmentation } = await import('../../dist/encode/segmentation.js')
  const { encodeLabelMap } = await import('../../dist/encode/label-map.js')
  const slice = (z) => labels.subarray(z * pixels, (z + 1) * pixels)
  const holds = Array.from({ length: size.labels + 1 }, (_, label) =>
    Array.from({ length: size.slices }, (__, z) => slice(z).includes(label)),
  )
  const source = {
    seriesInstanceUID: uid(2),
    slices: Array.from({ length: size.slices }, (_, z) => ({
      sopClassUID: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUID: uid(3, z + 1),
      frame: null,
      imagePositionPatient: position(z),
    })),
    header: { '00200052': { vr: 'UI', Value: [uid(4)] } },
    rows: size.rows,
    columns: size.columns,
    pixelSpacing: [0.7, 0.7],
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    sliceSpacing: 2.5,
  }
  const input = {
    studyInstanceUID: uid(1),
    revision: 1,
    at: '2025-01-01T00:00:00.000Z',
    predecessors: [],
    algorithm: { name: 'bench', version: '1', digest: 'sha256:00', title: 'Bench', manufacturer: 'Hilum' },
    source,
    measurements: [],
    segments: Array.from({ length: size.labels }, (_, index) => ({
      id: `segment-${index + 1}`,
      number: index + 1,
      definition: {
        label: `Segment ${index + 1}`,
        category: code('91723000', 'SCT', 'Anatomical Structure'),
        type: code('39607008', 'SCT', 'Lung'),
        modifiers: [],
        colour: [index * 50, 100, 200],
      },
      bestSlice: null,
      maskOf(z, into) {
        if (!holds[index + 1][z]) return null
        const from = slice(z)
        const mask = into?.fill(0) ?? new Uint8Array(pixels)
        for (let i = 0; i < pixels; i++) if (from[i] === index + 1) mask[i] = 1
        return mask
      },
    })),
    ...(writer === 'binary-masks' ? {} : { labelsOf: slice }),
  }
  const start = clock()
  const object =
    writer === 'label-map'
      ? encodeLabelMap(input)
      : writer === 'label-map-native'
        ? encodeLabelMap(input, { compression: 'none' })
        : encodeSegmentation(input)
  writeFile(file, object.chunks)
  return since(start)
}

async function writeWithDcmjs(labels, file) {
  const { default: dcmjs } = await import('dcmjs')
  dcmjs.log.setLevel('silent')
  const sources = Array.from({ length: size.slices }, (_, z) => ({
    _meta: {},
    _vrMap: { PixelData: 'OW' },
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: uid(3, z + 1),
    StudyInstanceUID: uid(1),
    SeriesInstanceUID: uid(2),
    FrameOfReferenceUID: uid(4),
    Modality: 'CT',
    PatientName: 'Bench',
    PatientID: '1',
    Rows: size.rows,
    Columns: size.columns,
    BitsAllocated: 16,
    PixelRepresentation: 1,
    PixelSpacing: [0.7, 0.7],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    ImagePositionPatient: position(z),
    WindowCenter: 40,
    WindowWidth: 400,
    // Filled, so that it is memory and not a promise of it.
    PixelData: new Int16Array(pixels).fill(-1000).buffer,
  }))
  const start = clock()
  const multiframe = dcmjs.normalizers.Normalizer.normalizeToDataset(sources)
  const seg = new dcmjs.derivations.Segmentation([multiframe], { includeSliceSpacing: true })
  // Its frames run from the last slice to the first; empty ones are left out, as ours are.
  const frames = Array.from({ length: size.labels }, (_, index) =>
    Array.from({ length: size.slices }, (__, f) => f).filter((f) => sliceOf(labels, f).includes(index + 1)),
  )
  seg.setNumberOfFrames(frames.reduce((sum, own) => sum + own.length, 0))
  frames.forEach((own, index) => {
    seg.addSegmentFromLabelmap(
      {
        SegmentLabel: `Segment ${index + 1}`,
        SegmentAlgorithmType: 'AUTOMATIC',
        SegmentAlgorithmName: 'bench',
        SegmentedPropertyCategoryCodeSequence: {
          CodeValue: '91723000',
          CodingSchemeDesignator: 'SCT',
          CodeMeaning: 'A',
        },
        SegmentedPropertyTypeCodeSequence: {
          CodeValue: '39607008',
          CodingSchemeDesignator: 'SCT',
          CodeMeaning: 'Lung',
        },
      },
      own.map((f) => sliceOf(labels, f)),
      index + 1,
      own.map((f) => f + 1),
    )
  })
  seg.bitPackPixelData()
  writeFile(file, [Buffer.from(dcmjs.data.datasetToBuffer(seg.dataset))])
  return since(start)
}

function sliceOf(labels, frame) {
  const z = size.slices - 1 - frame
  return labels.subarray(z * pixels, (z + 1) * pixels)
}

function clock() {
  return { at: performance.now(), cpu: process.cpuUsage() }
}

function since({ at, cpu }) {
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - at, cpu: (user + system) / 1000 }
}

const MB = (bytes) => Math.round(bytes / 1e6)

if (process.send) {
  const [writer, file] = process.argv.slice(2)
  const labels = labelVolume()
  const before = process.memoryUsage().rss
  const { ms, cpu } = writer === 'dcmjs' ? await writeWithDcmjs(labels, file) : await writeOurs(writer, labels, file)
  process.send({ ms, cpu, before, peak: process.resourceUsage().maxRSS * 1024, bytes: statSync(file).size })
  process.disconnect()
} else {
  const runs = Number(process.argv[2] ?? 3)
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-bench-'))
  const self = fileURLToPath(import.meta.url)
  console.log(`${size.labels} labels, ${size.columns}x${size.rows}x${size.slices}; best of ${runs} runs`)
  let reference = null
  for (const writer of writers) {
    const found = []
    for (let run = 0; run < runs; run++)
      found.push(
        await new Promise((resolve, reject) => {
          const child = fork(self, [writer, path.join(folder, `${writer}.dcm`)])
          child.once('message', resolve)
          child.once('exit', (status) => status && reject(new Error(`${writer}: exit ${status}`)))
        }),
      )
    const least = (key) => Math.min(...found.map((f) => f[key]))
    const own = { ms: least('ms'), cpu: least('cpu'), peak: least('peak') }
    const { bytes, before } = found[0]
    reference ??= own
    const times = (key) => (own[key] / reference[key]).toFixed(2)
    console.log(
      `${writer.padEnd(18)}${own.ms.toFixed(0).padStart(7)} ms (${times('ms')})${own.cpu.toFixed(0).padStart(7)} ms cpu (${times('cpu')})` +
        `${String(MB(own.peak)).padStart(6)} MB peak (${times('peak')}), ${MB(before)} before; file ${(bytes / 1e6).toFixed(1)} MB`,
    )
  }
  rmSync(folder, { recursive: true })
}
