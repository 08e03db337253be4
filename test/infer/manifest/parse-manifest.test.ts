import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../../src/infer/manifest/parse-manifest.ts'
import { repository } from '../../support/data.ts'

const text = readFileSync(path.join(repository, 'models', 'ct-lung-density', 'pipeline.yaml'), 'utf8')

/** The problems of the manifest after a change, each with what stands at its place in the text. */
function problemsAfter(before: string, after: string): { problem: string; at: string }[] {
  expect(text).toContain(before)
  const changed = text.replace(before, after)
  return parseManifest(changed).problems.map((problem) => {
    const [line = 0, column = 0] = problem.split(':').map(Number)
    return { problem: problem.replace(/^\d+:\d+: /, ''), at: changed.split('\n')[line - 1]?.slice(column - 1) ?? '' }
  })
}

describe('parseManifest', () => {
  it('reads the manifest of this repository', () => {
    expect(parseManifest(text).problems).toEqual([])
  })

  it.each([
    // What the schema says.
    [
      'contrast: forbidden',
      'contrast: perhaps',
      'perhaps',
      'inputs.0.contrast: perhaps is not known here: forbidden, allowed or required is expected',
    ],
    [
      'kind: volume',
      'kind: volum',
      'volum',
      'inputs.0.kind: volum is not known here (did you mean "volume"?): volume, sequence, frames, image or segmentation is expected',
    ],
    [
      '    kind: volume\n',
      '',
      'name: ct',
      'inputs.0.kind: is missing: volume, sequence, frames, image or segmentation is expected',
    ],
    ['slab: 4', 'slab: 0', '0', 'infer.0.run.slab: 0 stands here, at least 1 is expected'],
    ['name: ct\n', 'name: Ct\n', 'Ct', 'inputs.0.name: lower-case letters, digits and hyphens are expected'],
    ['title: CT lung density\n', '', '# How', 'title: is missing: a text is expected'],
    ['family: {', 'familie: {', 'familie', 'familie: familie is not known here (did you mean "family"?)'],
    ['colour: [220', 'colour: [2200', '2200', 'segments.0.colour.0: 2200 stands here, at most 255 is expected'],
    ['modality: CT', 'modality: []', 'modality', 'inputs.0.modality: at least 1 entry is expected'],
    ['version: 1.0.1', 'version: 1.0', '1.0', 'version: 1 stands here, a text is expected: write it in quotes'],
    [
      "value: '91723000'",
      'value: 91723000',
      '91723000',
      'category.value: 91723000 stands here, a text is expected: write it in quotes',
    ],
    [
      'sliceThickness: { maximum: 3 }',
      'sliceThickness: 3',
      '3',
      'inputs.0.sliceThickness: 3 stands here, a mapping is expected, as { minimum, maximum }',
    ],
    ['minimum: 40,', 'minimum: 4000,', 'slices', 'inputs.0.slices: minimum is above maximum'],
    // Options of steps, whose own module says what they are.
    [
      'minimumVolume: 0.5',
      'minimumvolume: 0.5',
      'minimumvolume',
      'finish.lungs.steps.0.lungs.minimumvolume: minimumvolume is not known here (did you mean "minimumVolume"?)',
    ],
    [
      'axes: LPS',
      'axes: LPQ',
      'LPQ',
      'prepare.density.steps.0.reorient.axes: three letters as RAS or LPS are expected',
    ],
    [
      '[reorient: {',
      '[reorientt: {',
      'reorientt',
      'prepare.density.steps.0.reorientt: reorientt is not known here (did you mean "reorient"?)',
    ],
    [
      '[reorient: { axes: LPS }]',
      '[reorint]',
      'reorint',
      'prepare.density.steps.0: reorint is not known here (did you mean "reorient"?)',
    ],
    ['[reorient: { axes: LPS }]', '[reorient]', 'reorient', 'prepare.density.steps.0: reorient needs options: axes'],
    [
      '[reorient: { axes: LPS }]',
      '[{ reorient: { axes: LPS }, grey: {} }]',
      '{ reorient',
      'prepare.density.steps.0: one step is expected: a name, or a name with its options',
    ],
    [
      'limit: -950',
      'limit: low',
      'low',
      'measure.3.quantity.fraction-below.limit: low stands here, a number is expected',
    ],
    [
      'quantity: volume',
      'quantity: volumes',
      'volumes',
      'measure.0.quantity: volumes is not known here (did you mean "volume"?)',
    ],
    [
      'file: model.onnx',
      'file: ../model.onnx',
      '../model',
      'infer.0.model.file: a file name in the same folder, as model.onnx, is expected',
    ],
    // What entries refer to.
    [
      'from: density, layout',
      'from: densities, layout',
      'densities',
      'infer.0.inputs.volume.from: no value is called densities (did you mean "density"?)',
    ],
    [
      'density: density\n',
      'density: densty\n',
      'lungs:',
      'finish.lungs.steps.0.lungs: no value is called densty (did you mean "density"?)',
    ],
    [
      'segment: right-lung',
      'segment: rigth-lung',
      'rigth-lung',
      'measure.8.segment: no segment has the id rigth-lung (did you mean "right-lung"?)',
    ],
    ['id: right-lung', 'id: left-lung', 'left-lung', 'segments.1.id: another segment has the id left-lung'],
    [
      'from: lungs\n    value: 2',
      'from: lungs\n    value: 1',
      '1',
      'segments.1.value: segments.0 has the value 1 of lungs too',
    ],
    ['value: 1\n', 'value: 0\n', '0', 'segments.0.value: 0 is the background: a label from 1 is expected'],
    [
      'from: lungs\n',
      'from: density\n',
      undefined,
      'the segments lie in several label maps (density, lungs): segment has to name one',
    ],
    [
      'id: volume-total',
      'id: mean-density-total',
      'mean-density-total',
      'measure.1.id: another measurement has the id mean-density-total',
    ],
    [
      'value: L, scheme: UCUM',
      'value: mm, scheme: UCUM',
      'mm',
      'measure.0.unit.value: the unit mm cannot be given for what is measured in mL: mm3, uL, cm3, mL, dm3, L can',
    ],
    ['    of: density\n', '', 'id: mean', 'measure.1.of: mean is measured on an image: of is missing'],
    ['    of: density\n', '    of: lungs\n', 'lungs', 'measure.1.of: lungs is a label map, an image is expected'],
    ['quantity: volume\n', 'quantity: volume\n    of: density\n', 'density', 'measure.0.of: volume has no use for of'],
    ['value: air-inside', 'value: density', undefined, 'the name density is already taken by prepare.density'],
    [
      'value: air-inside, kind: labels',
      'value: air-inside, kind: numbers',
      undefined,
      'a slabs run gives images and labels, not numbers',
    ],
    [
      '- lungs:',
      '- sigmoid\n      - lungs:',
      'sigmoid',
      /^finish\.lungs\.steps\.0: sigmoid takes .*an image.*, it is given a label map/,
    ],
    [
      'kind: planar-report }',
      'kind: planar-report }\n  - { kind: parametric-map, from: lungs, quantity: {value: x, scheme: y, meaning: z}, unit: {value: x, scheme: y, meaning: z}, derivation: {value: x, scheme: y, meaning: z} }',
      'lungs',
      'outputs.3.from: lungs is a label map, an image is expected',
    ],
    [
      'kind: planar-report }',
      'kind: segmentation }',
      '{ kind',
      'outputs.2: outputs.0 is segmentation too: each needs an id of its own',
    ],
    [
      'kind: planar-report }',
      'kind: planar-report, source: mr }',
      'mr',
      'outputs.2.source: no input of images is called mr',
    ],
  ] as const)('says where %s became %s', (before, after, at, words) => {
    const problems = problemsAfter(before, after)
    const found = problems.find(({ problem }) =>
      typeof words === 'string' ? problem.includes(words) : words.test(problem),
    )
    expect(found, problems.map(({ problem }) => problem).join('\n')).toBeDefined()
    if (at !== undefined) expect(found?.at.startsWith(at), `at ${found?.at}`).toBe(true)
  })

  it('says what is made of itself, once, and through what', () => {
    expect(problemsAfter('from: ct, steps', 'from: lungs, steps')).toMatchObject([
      { problem: 'prepare.density: density is made of itself: density needs lungs needs air-inside needs density' },
    ])
  })

  it('says everything at once, in the order of the file', () => {
    const { problems } = parseManifest(
      text.replace('slab: 4', 'slab: 0').replace('modality: CT', 'modality: []').replace('value: 2', 'value: 300'),
    )
    const lines = problems.map((problem) => Number(problem.split(':')[0]))
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
    expect(problems).toHaveLength(3)
  })

  it.each([
    ['', /expected/],
    ['- 1', /expected/],
    ['name: [', /^1:\d+: /],
    ['schema: 1\nname: old', /^1:9: schema: 1 is the schema of earlier versions/],
    ['a: &a [*a]', /./],
  ])('refuses what is no manifest: %j', (given, words) => {
    const { manifest, problems } = parseManifest(given)
    expect(manifest).toBeNull()
    expect(problems.join('\n')).toMatch(words)
  })

  it('lets a later chain use a value of any kind: a cascade', () => {
    const cascade = text
      .replace('finish:\n', 'finish:\n  rough: { from: air-inside, steps: [] }\n')
      .replace('infer:\n', '  near: { from: density, steps: [crop-to: { mask: rough }] }\n\ninfer:\n')
    expect(parseManifest(cascade).problems).toEqual([])
  })
})
