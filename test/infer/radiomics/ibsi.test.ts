import { afterAll, describe, expect, it } from 'vitest'
import { catalogue, type Family, familyCodes } from '../../../src/infer/radiomics/catalogue.ts'
import { type ConfigurationName, configurations } from '../../../src/infer/radiomics/configurations.ts'
import { computeFeatures } from '../../../src/infer/radiomics/features.ts'
import { radiomicsOptions } from '../../../src/infer/radiomics/options.ts'
import { table } from '../../support/conformance/table.ts'
import { generatedParts, writeParts, writesDocuments } from '../../support/generated-document.ts'
import {
  agrees,
  chestPhantom,
  digitalPhantom,
  featureReferences,
  filterConfigurations,
  filterReferences,
  ofFeatures,
} from '../../support/ibsi.ts'
import { type Comparison, compare, comparisonTable, summary } from '../../support/ibsi-table.ts'

const page = 'docs/radiomics.md'
const found = generatedParts(page)
const written: Record<string, string> = {}

afterAll(() => {
  if (writesDocuments) writeParts(page, written)
})

// After a change of the code: UPDATE_DOCS=1 npx vitest run --project unit test/infer/radiomics/ibsi.test.ts
const linesOf = (text: string): string[] => text.split('\n')

/** The lines of a part as they stand on the page, or will when it is written anew. */
function onPage(name: string, text: string): string[] {
  written[name] = text
  return linesOf(writesDocuments ? text : (found.get(name) ?? ''))
}

const differing = (comparisons: readonly Comparison[]): string[] =>
  comparisons
    .filter((comparison) => !comparison.agrees)
    .map(
      ({ reference, feature }) =>
        `${reference.tag} is ${feature?.value}, not ${reference.value} ± ${reference.tolerance}`,
    )

describe('docs/radiomics.md', () => {
  it('lists the families', () => {
    const rows = (Object.keys(catalogue) as Family[]).map((family) => [
      `\`${family}\``,
      familyCodes[family],
      String(catalogue[family].length),
      catalogue[family].map(({ name }) => name).join('; '),
    ])
    const text = table(['Family', 'IBSI', 'Features', 'Names'], rows)
    expect(onPage('families', text)).toEqual(linesOf(text))
  })

  it('lists the options', () => {
    const rows = Object.entries(radiomicsOptions.shape).map(([name, schema]) => [
      `\`${name}\``,
      schema.meta()?.description ?? '',
    ])
    const text = table(['Option', 'What it says'], rows)
    expect(onPage('options', text)).toEqual(linesOf(text))
  })

  it('lists the configurations', () => {
    const names = Object.keys(configurations) as ConfigurationName[]
    const options = [...new Set(names.flatMap((name) => Object.keys(configurations[name])))]
    const cell = (value: unknown): string =>
      value === undefined ? '' : JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ').replaceAll(':', ': ')
    const rows = options.map((option) => [
      `\`${option}\``,
      ...names.map((name) => cell((configurations[name] as Record<string, unknown>)[option])),
    ])
    const text = table(['Option', ...names.map((name) => `\`${name}\``)], rows)
    expect(onPage('configurations', text)).toEqual(linesOf(text))
  })
})

const phantom = digitalPhantom()
const phantomReferences = featureReferences('dig_phantom')

describe.skipIf(!phantom || !phantomReferences)('the digital phantom of IBSI-1', () => {
  it(`has all reference values, as ${page} shows`, () => {
    if (!phantom || !phantomReferences) throw new Error('skipped')
    const features = computeFeatures(phantom.image, phantom.mask, configurations['ibsi-phantom'])
    const comparisons = compare(features, ofFeatures(phantomReferences))
    expect(comparisons).toHaveLength(482)
    expect(differing(comparisons)).toEqual([])
    const text = `${summary(comparisons)}.\n\n${comparisonTable(comparisons)}`
    expect(onPage('phantom', text)).toEqual(linesOf(text))
  })

  it('is compared with tolerance, so that a wrong value is found', () => {
    expect(agrees(556.33, { tag: 'morph_volume', value: 556, tolerance: 4 })).toBe(true)
    expect(agrees(560.6, { tag: 'morph_volume', value: 556, tolerance: 4 })).toBe(false)
    expect(agrees(2.154, { tag: 'stat_mean', value: 2.15, tolerance: 0 })).toBe(true)
    expect(agrees(2.156, { tag: 'stat_mean', value: 2.15, tolerance: 0 })).toBe(false)
    expect(agrees(Number.NaN, { tag: 'stat_mean', value: 2.15, tolerance: 1 })).toBe(false)
  })
})

const chest = chestPhantom()
const filterValues = filterReferences()
/** The page says so while nobody has written the tables where the chest CT is there. */
const withoutChest = (found.get('chest') ?? '').startsWith('Not computed')

describe.skipIf(!chest)('the chest CT of IBSI (where ibsi_1_ct_radiomics_phantom is there)', () => {
  const tables: string[] = []
  const noted = (title: string, comparisons: readonly Comparison[]): string[] => {
    tables.push(`### ${title}\n\n${summary(comparisons)}.\n\n${comparisonTable(comparisons)}`)
    return differing(comparisons)
  }

  for (const name of ['a', 'b', 'c', 'd', 'e'] as const) {
    const references = featureReferences(`chest_config_${name}`)
    it.skipIf(!references)(
      `has the reference values of configuration ${name.toUpperCase()}`,
      { timeout: 120_000 },
      () => {
        if (!chest || !references) throw new Error('skipped')
        const features = computeFeatures(chest.image, chest.mask, configurations[`ibsi-${name}`])
        const differences = noted(`Configuration ${name.toUpperCase()}`, compare(features, ofFeatures(references)))
        expect(differences).toEqual([])
      },
    )
  }

  for (const [id, options] of Object.entries(filterConfigurations))
    it.skipIf(!filterValues)(`has the reference values of filter ${id} of IBSI-2`, { timeout: 300_000 }, () => {
      if (!chest) throw new Error('skipped')
      const wanted = filterValues?.get(id) ?? []
      expect(wanted).toHaveLength(18)
      const features = computeFeatures(chest.image, chest.mask, options)
      // IBSI's table names the features of responses as those of images.
      const named = features.map((feature) => ({ ...feature, tag: feature.tag.slice(feature.tag.indexOf('stat_')) }))
      const title = `Filter ${id}: ${features[0]?.filter?.name ?? 'none'}`
      expect(noted(title, compare(named, wanted))).toEqual([])
    })

  it.skipIf(withoutChest && !writesDocuments)(`is in ${page}`, () => {
    const text = tables.join('\n\n')
    expect(onPage('chest', text)).toEqual(linesOf(text))
  })
})
