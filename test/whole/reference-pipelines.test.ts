import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { repository, sharedData } from '../support/data.ts'
import { isSettled, NodeProcess, type Timeline } from '../support/node-process.ts'
import { acceptanceTool, available, runProgram, viewerFiles } from '../support/programs.ts'
import { countVoxels, downloadResults, validate } from '../support/results.ts'
import { type Shown, Viewer } from '../support/viewer.ts'

const programs = ['/usr/bin/python3', 'dciodvfy', 'java', 'dcmdjpls', 'xz', '/usr/bin/chromium', viewerFiles]
const peers = available(...programs, acceptanceTool('validate.py'), acceptanceTool('seg.py'))
const meshNet = sharedData('models', 'niivue-meshnet-onnx', 'model.onnx')
const head = sharedData('mr-brain-adi-t1-perf.tar.xz')
const pet = sharedData('pet-qin-headneck-0024.tar.xz')
const abdomen = sharedData('ct-abdomen-crlm1004.tar.xz')
const prostate = sharedData('mr-prostate-prostatex0207')
const radiograph = sharedData('modalities', 'cxr-rsna')

const route = (name: string, pipeline: string, inputs: string): string =>
  `  - { name: ${name}, pipeline: ${pipeline}, destinations: [self], inputs: { ${inputs} } }\n`
const routes = [
  route('chest', 'cr-chest-abnormality', `radiograph: { where: 'series.Modality in ["CR", "DX"]' }`),
  route('atrium', 'mr-cardiac-atrium', `cine: { where: 'series.BodyPartExamined == "HEART"' }`),
  route('brain', 'mr-brain-tissue', `t1: { where: 'series.Modality == "MR" && series.instances >= 170' }`),
  route('denoise', 'image-denoise', `ct: { where: 'series.Modality == "CT"' }`),
  route(
    'kinetics',
    'mr-prostate-kinetics',
    `dynamic: { where: 'series.SeriesDescription.contains("dyn")', prefer: [{ lowest: series.SeriesNumber }], several: true }`,
  ),
  route(
    'radiomics',
    'any-radiomics',
    `images: { where: 'series.Modality == "PT"' }, segmentation: { where: 'series.Modality == "SEG"', of: images }`,
  ),
]

/** What came of a study: its files, and the downloaded results in their order on the timeline. */
interface Done {
  source: string
  study: string
  timeline: Timeline
  folder: string
  results: string[]
}

describe.skipIf(!peers)('the reference pipelines, on a node', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-reference-'))
  const at = (...parts: string[]): string => path.join(folder, ...parts)
  const config = at('hilum.yaml')
  const models = at('models')
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.5' }, config)
  let viewer: Viewer

  beforeAll(async () => {
    writeFileSync(config, `pipelines: { folder: ${models} }\nroutes:\n${routes.join('')}`)
    cpSync(path.join(repository, 'models'), models, { recursive: true })
    // The user supplies this model: the repository does not hold it.
    if (meshNet) cpSync(meshNet, path.join(models, 'mr-brain-tissue', 'model.onnx'))
    else rmSync(path.join(models, 'mr-brain-tissue'), { recursive: true })
    for (const archive of [head, pet, abdomen]) if (archive) execFileSync('tar', ['-xJf', archive, '-C', folder])
    if (!meshNet) writeFileSync(config, readFileSync(config, 'utf8').replace(/.*mr-brain-tissue.*\n/, ''))
    await node.start()
    viewer = await Viewer.start(node.url)
  })
  afterAll(async () => {
    await viewer?.close()
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What an independent computation says: see reference-pipelines.py. */
  function independent(...args: string[]): unknown {
    const computed = runProgram('python3', [path.join(repository, 'test', 'whole', 'reference-pipelines.py'), ...args])
    if (computed.code !== 0) throw new Error(computed.output)
    return JSON.parse(computed.stdout)
  }

  /** Sends images, waits for the end of their study, and has every result verified at `self`. */
  async function done(source: string): Promise<Done> {
    const found = readdirSync(source, { recursive: true, withFileTypes: true })
    const files = found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
    const to = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'SCANNER', calledAETitle: 'HILUM' }
    expect((await sendInstances({ ...to, files })).stored).toBe(files.length)
    const study = textOf((await readInstanceFile(files[0] as string)).elements, 'StudyInstanceUID') ?? ''
    const timeline = await node.until(study, isSettled, { seconds: 240, what: 'the end of the study' })
    expect(timeline.state, JSON.stringify(timeline.jobs)).toBe('done')
    expect(timeline.results.length).toBeGreaterThan(0)
    for (const { deliveries } of timeline.results)
      expect(deliveries.map(({ destination, state }) => `${destination} ${state}`)).toEqual(['self verified'])
    const results = at('results', study)
    return {
      source,
      study,
      timeline,
      folder: results,
      results: await downloadResults(node, study, timeline, results),
    }
  }

  /** The outside validators find `count` objects and nothing to fault. */
  function expectValid({ source, folder: results }: Done, summary: string, templates = true): void {
    expect(validate(source, results, { templates }).output.trim()).toBe(`${summary}, 0 failures`)
  }

  const fileOf = ({ results }: Done, modality: string): string => results.find((f) => f.includes(`-${modality}`)) ?? ''

  async function expectShown(
    { study, timeline }: Done,
    modality: string,
    condition: (shown: Shown) => boolean,
  ): Promise<void> {
    const series = timeline.results.find((result) => result.modality === modality)?.seriesInstanceUID ?? ''
    const directory = process.env.HILUM_SCREENSHOTS
    const screenshot = directory && path.join(directory, `${modality}-${study.slice(-6)}.png`)
    const shown = await viewer.open(study, series, condition, { screenshot })
    expect(condition(shown), JSON.stringify(shown)).toBe(true)
    expect(shown.problems).toEqual([])
  }

  /** OHIF holds exactly the voxels of the segmentation, under their labels. */
  function expectSegmentationShown(what: Done): void {
    const series = what.timeline.results.find(({ modality }) => modality === 'SEG')?.seriesInstanceUID ?? ''
    const counts = at('counts.json')
    writeFileSync(counts, JSON.stringify(countVoxels(fileOf(what, 'SEG'))))
    const seg = ['--seg', series, '--expect', counts, '--token', 'a-token-for-tests-only', '--out', at('screens')]
    const shown = runProgram('node', [acceptanceTool('ohif.mjs'), node.url, what.study, ...seg])
    expect(shown.output).toContain('all shown')
  }

  const warning = 'demonstrator, not for clinical use'
  const reportText = ({ text }: Shown): boolean => text.includes('Measurement Report') && text.includes(warning)

  it('say in their READMEs what they are not for', () => {
    const folders = readdirSync(path.join(repository, 'models'))
    expect(folders).toHaveLength(7)
    for (const name of folders) {
      const [manifest, readme] = ['pipeline.yaml', 'README.md'].map((file) =>
        readFileSync(path.join(repository, 'models', name, file), 'utf8'),
      )
      expect([name, readme]).toEqual([
        name,
        expect.stringMatching(/not for clinical use|research only|not for .* diagnosis/i),
      ])
      if (manifest?.includes('demonstrator: true'))
        expect([name, readme]).toEqual([name, expect.stringMatching(/demonstrator/i)])
    }
  })

  it('cr-chest-abnormality tells phantoms with an opacity from those without (no real one is known to have any)', async () => {
    const model = path.join(repository, 'models', 'cr-chest-abnormality')
    const drawn = independent('chest-phantoms', model, at('chest')) as { folder: string; abnormal: number }[]
    const found: { abnormal: number; probability: number; result: Done }[] = []
    for (const { folder: name, abnormal } of drawn) {
      const result = await done(at('chest', name))
      const probability = result.timeline.findings.find((f) => f.name === 'Probability of an opacity')?.value ?? -1
      found.push({ abnormal, probability, result })
    }
    const of = (kind: number): number[] =>
      found.filter(({ abnormal }) => abnormal === kind).map(({ probability }) => probability)
    const pairs = of(1).flatMap((sick) => of(0).map((well) => (sick > well ? 1 : 0)))
    // Its script reports an AUC of 0.913 on 400 others.
    expect(pairs.reduce<number>((a, b) => a + b, 0) / pairs.length, JSON.stringify([of(0), of(1)])).toBeGreaterThan(0.8)
    for (const { result, abnormal } of found)
      expectValid(result, '2 objects (OT, SR)', result === found[0]?.result && abnormal >= 0)
    const shown = found[0]?.result as Done
    await expectShown(shown, 'SR', reportText)
    await expectShown(shown, 'OT', ({ lit, coloured }) => lit > 0.1 && coloured > 0.005)
  })

  it.skipIf(!radiograph)(
    'cr-chest-abnormality takes a real radiograph, says what its answer is worth, and is faultless',
    async () => {
      const result = await done(radiograph ?? '')
      expectValid(result, '2 objects (OT, SR)')
      const report = await readInstanceFile(fileOf(result, 'SR'))
      expect(JSON.stringify(report.elements)).toContain(warning)
      expect(textOf(report.elements, 'SeriesDescription')).toMatch(/\(demonstrator\)$/)
    },
  )

  it('mr-cardiac-atrium outlines the atrium of a phantom in every frame (no public series of a heart is at hand)', async () => {
    const model = path.join(repository, 'models', 'mr-cardiac-atrium')
    independent('atrium-phantom', model, at('atrium'))
    const result = await done(at('atrium', 'cine'))
    expectValid(result, '2 objects (SEG, SR)')
    const truth = independent('atrium', at('atrium', 'masks.npy'), fileOf(result, 'SEG'), result.source) as {
      dice: number
      area: number
      foundArea: number
    }
    expect(truth.dice).toBeGreaterThan(0.9)
    const area = result.timeline.findings.find(({ name }) => name === 'Left atrium, largest area')?.value ?? 0
    expect(area).toBeCloseTo(truth.foundArea, 6)
    expect(Math.abs(area / truth.area - 1)).toBeLessThan(0.15)
    expectSegmentationShown(result)
    await expectShown(result, 'SR', reportText)
  })

  it.skipIf(!meshNet || !head)('mr-brain-tissue finds grey and white matter in a real T1', async () => {
    const result = await done(at('adi_brain'))
    expectValid(result, '2 objects (SEG, SR)')
    const tissue = independent('brain', result.source, fileOf(result, 'SEG')) as Record<
      string,
      { volume: number; signal: number }
    >
    const { 'White matter': white, 'Grey matter': grey } = tissue
    const reported = Object.fromEntries(result.timeline.findings.map(({ name, value }) => [name, value]))
    expect(reported['White matter volume']).toBeCloseTo(white?.volume ?? 0, 6)
    expect(reported['Grey matter volume']).toBeCloseTo(grey?.volume ?? 0, 6)
    // Of an adult: 350 to 650 mL, and 450 to 850 mL. White matter is the brighter one in T1.
    expect(Math.abs((white?.volume ?? 0) - 500)).toBeLessThan(150)
    expect(Math.abs((grey?.volume ?? 0) - 650)).toBeLessThan(200)
    expect((white?.signal ?? 0) / (grey?.signal ?? 0)).toBeGreaterThan(1.15)
    expectSegmentationShown(result)
    await expectShown(result, 'SR', reportText)
  })

  it.skipIf(!pet)('any-radiomics measures the tumours of a real PET as numpy does', async () => {
    const result = await done(at('rsna_2'))
    // The validator of report templates needs most of a minute for 340 measurements.
    expectValid(result, '1 objects (SR)', false)
    const seg = path.join(result.source, 'SEG', '3DSlicer')
    const found = independent(
      'radiomics',
      path.join(result.source, 'PET'),
      path.join(seg, readdirSync(seg)[0] ?? ''),
      fileOf(result, 'SR'),
    ) as { features: number; values: Record<string, [number, number]> }[]
    expect(found).toHaveLength(2)
    for (const { features, values } of found) {
      expect(features).toBeGreaterThan(150)
      for (const [code, [expected, reported]] of Object.entries(values))
        expect([code, Math.abs(reported / expected - 1) < 1e-5]).toEqual([code, true])
    }
    await expectShown(result, 'SR', ({ text }) => text.includes('Joint entropy'))
  })

  it.skipIf(!abdomen)('image-denoise makes of a real CT what the same diffusion in numpy makes', async () => {
    const result = await done(at('ct_images_seg', 'CRLM-CT-1004', 'image'))
    expectValid(result, '41 objects (CT)')
    const made = independent('denoise', result.source, result.folder) as Record<string, unknown> & {
      worst: number
      noise: number
      drift: number
    }
    expect(made).toMatchObject({ images: 41, of: 41, inPlace: true, kinds: ['DERIVED'] })
    expect(made.worst).toBeLessThan(0.51) // whole HU are stored
    expect(made.noise).toBeLessThan(0.75)
    expect(made.drift).toBeLessThan(3)
    const series = result.timeline.results[0]?.seriesInstanceUID
    await expectShown(result, 'CT', (shown) => shown.series === series && shown.lit > 0.1)
  })

  it.skipIf(!prostate)('mr-prostate-kinetics makes of a real dynamic series the maps that numpy makes', async () => {
    const result = await done(prostate ?? '')
    expectValid(result, '2 objects (MR)')
    const dynamic = at('dynamic')
    for (const name of readdirSync(result.source).filter((n) => n.includes('-dyn-'))) {
      mkdirSync(path.join(dynamic, name), { recursive: true })
      for (const file of readdirSync(path.join(result.source, name)))
        runProgram('dcmdjpls', [path.join(result.source, name, file), path.join(dynamic, name, file)])
    }
    const { times, maps } = independent('kinetics', dynamic, result.folder) as {
      times: number[]
      maps: Record<string, Record<string, number>>
    }
    expect(times).toHaveLength(4)
    expect(maps.s).toMatchObject({ frames: 16, of: 16, differs: 0, values: 4 })
    expect(maps['%']).toMatchObject({ frames: 16, of: 16, differs: 0 })
    expect(maps['%']?.enhanced).toBeGreaterThan(0.1)
    await expectShown(result, 'MR', ({ coloured }) => coloured > 0.05)
  })
})
