import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendInstances } from '../../src/dimse/send.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { furtherObjects } from '../encode/further-objects.ts'
import { bytesOf } from '../encode/synthetic.ts'
import { sharedData } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { available, viewerFiles } from '../support/programs.ts'
import { realInput } from '../support/source-instances.ts'
import { type Shown, Viewer } from '../support/viewer.ts'

const prostate = sharedData('mr-prostate-prostatex0207')
const ready = available('/usr/bin/chromium', viewerFiles, prostate)

describe.skipIf(!ready)('OHIF, on the outputs of a real MR series', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-kinds-'))
  const source = path.join(
    prostate ?? '',
    readdirSync(prostate ?? '.').find((n) => n.startsWith('MR_t2-tse-tra')) ?? '',
  )
  const node = new NodeProcess({ HILUM_ROUTES: '[]' })
  const seriesOf = new Map<string, string>()
  let input: EncodingInput
  let viewer: Viewer

  beforeAll(async () => {
    input = await realInput(source)
    const made = path.join(folder, 'made')
    mkdirSync(made)
    for (const object of furtherObjects(input)) {
      writeFileSync(path.join(made, `${object.role}.dcm`), bytesOf(object))
      seriesOf.set(object.role, object.seriesInstanceUID)
    }
    await node.start()
    const files = [source, made].flatMap((from) => readdirSync(from).map((name) => path.join(from, name)))
    const { stored } = await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'MAKER',
      calledAETitle: 'HILUM',
      files,
    })
    if (stored !== files.length) throw new Error(`${stored} of ${files.length} files were stored`)
    viewer = await Viewer.start(node.url)
  }, 120_000)
  afterAll(async () => {
    await viewer?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const lungs = ['Left lung', 'Right lung']
  const hasLungs = (shown: Shown): boolean => lungs.every((label) => shown.segments.includes(label)) && shown.lit > 0.02

  it.each<[role: string, what: string, (shown: Shown, series: string) => boolean]>([
    ['segmentation', 'both segments, over the images', hasLungs],
    ['label-map', 'both segments, over the images', hasLungs],
    ['label-map-native', 'both segments, over the images', hasLungs],
    ['structure-set', 'both structures, over the images', hasLungs],
    ['measurements', 'the report as text', ({ text }) => /Joint entropy[^]*6\.4/.test(text)],
    ['measurements-in-words', 'the report as text', ({ text }) => /Mean Attenuation Coefficient: -856/.test(text)],
    ['classification', 'the report as text', ({ text }) => /Pneumothorax/.test(text) && /Absent/.test(text)],
    [
      'findings',
      'the findings over the images',
      ({ annotations, lit }) => /Certainty of Finding: 87/.test(annotations) && lit > 0.02,
    ],
    ['capture', 'the picture, in colour', (shown, series) => shown.series === series && shown.coloured > 0.01],
    ['parametric-map', 'the map', ({ lit }) => lit > 0.02],
    ['document', 'the pages', ({ documents }) => documents.includes('application/pdf')],
  ])('shows of %s: %s', async (role, _, condition) => {
    const found = [...seriesOf].find(([name]) => name === role || name.startsWith(`${role}-0`))
    const series = found?.[1] ?? ''
    const screenshot = process.env.HILUM_SCREENSHOTS && path.join(process.env.HILUM_SCREENSHOTS, `${role}.png`)
    const shown = await viewer.open(input.studyInstanceUID, series, (seen) => condition(seen, series), { screenshot })
    expect(condition(shown, series), JSON.stringify(shown)).toBe(true)
    expect(shown.problems).toEqual([])
  })
})
