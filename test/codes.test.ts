import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Code } from '../src/dicom/codes.ts'
import { category, knownCodes } from '../src/infer/import/known-codes.ts'
import { repository, sharedData } from './support/data.ts'

const archive = sharedData('tables/cid-concepts-snomed-json.tar.xz')

/** Schemes whose codes the tables hold whole, as far as DICOM uses them. */
const schemes = ['DCM', 'SCT', 'LN', 'UCUM']

/** Codes that are right and not in the tables, and meanings that are shorter than theirs. */
const others = new Set([
  // Structures of SNOMED CT that no context group names: lung with laterality is DICOM's own way.
  'SCT 44029006 Left lung',
  'SCT 3341006 Right lung',
  // The tables have "Source (attribute)".
  'SCT 260753009 Source',
  // The names of units as CID 7181 and UCUM have them, where the tables have a sign or a synonym.
  'UCUM cm2 square centimeter',
  'UCUM mL milliliter',
  'UCUM L liter',
])

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(folder, name))
}

/** Every code that is written out in a source file. */
function codesInSource(text: string): Code[] {
  const literals = text.matchAll(
    /value: ["']([^"'\n]+)["'],\s*scheme: ["'](\w+)["'],\s*meaning: (?:'([^'\n]*)'|"([^"\n]*)")/g,
  )
  const calls = text.matchAll(/\b(dcm|sct|loinc)\('([^']+)', ['"]([^'"\n]+)['"]\)/g)
  const listed = text.matchAll(/: \['(11\d{4})', '([^'\n]+)'\]/g)
  const called: Record<string, string> = { dcm: 'DCM', sct: 'SCT', loinc: 'LN' }
  return [
    ...[...literals].map(([, value = '', scheme = '', single, double]) => ({
      value,
      scheme,
      meaning: single ?? double ?? '',
    })),
    ...[...listed].map(([, value = '', meaning = '']) => ({ value, scheme: 'DCM', meaning })),
    ...[...calls].map(([, name = '', value = '', meaning = '']) => ({ value, scheme: called[name] ?? '', meaning })),
  ]
}

/** Every code anywhere in a manifest. */
function codesInManifest(content: unknown): Code[] {
  if (typeof content !== 'object' || content === null) return []
  const { value, scheme, meaning } = content as Record<string, unknown>
  const own = typeof value === 'string' && typeof scheme === 'string' ? [{ value, scheme, meaning } as Code] : []
  return [...own, ...Object.values(content).flatMap(codesInManifest)]
}

type Concepts = Record<string, Record<string, Record<string, [meaning: string, groups: number[]]>>>

describe.skipIf(archive === null)('codes, against the tables of PS3.16 (needs ../shared/data/tables)', () => {
  const concepts = (): Concepts =>
    JSON.parse(
      execFileSync('tar', ['-xJOf', archive ?? '', 'concepts_dict.json'], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
    ) as Concepts
  /** The meanings of a code, with the context groups that hold it. */
  const meaningsIn = (tables: Concepts, { scheme, value }: Code): [string, number[]][] =>
    Object.values(tables[scheme] ?? {}).flatMap((codes) => (codes[value] ? [codes[value]] : []))

  it('mean what they are said to mean, in the code and in the manifests', () => {
    const tables = concepts()
    const used = [
      ...filesIn('src', '.ts').flatMap((file) =>
        codesInSource(readFileSync(path.join(repository, file), 'utf8')).map((code) => ({ file, code })),
      ),
      ...filesIn('models', 'pipeline.yaml').flatMap((file) =>
        codesInManifest(parse(readFileSync(path.join(repository, file), 'utf8'))).map((code) => ({ file, code })),
      ),
    ].filter(({ code }) => schemes.includes(code.scheme))
    expect(used.length).toBeGreaterThan(150)
    const wrong = used
      .filter(({ code }) => !meaningsIn(tables, code).some(([meaning]) => meaning === code.meaning))
      .map(({ file, code: { scheme, value, meaning } }) => ({ file, text: `${scheme} ${value} ${meaning}` }))
      .filter(({ text }) => !others.has(text))
    expect(wrong).toEqual([])
  })

  it('are of the context groups of segments: categories of CID 7150, types of CID 7151', () => {
    const tables = concepts()
    const groupsOf = (code: Code): number[] => meaningsIn(tables, code).flatMap(([, groups]) => groups)
    for (const code of Object.values(category)) expect(groupsOf(code), code.meaning).toContain(7150)
    for (const name of ['Liver', 'kidney_right', 'tumour', 'grey matter', 'Lungs', 'bone', 'left hip']) {
      const known = knownCodes(name)
      expect(known, name).not.toBeNull()
      if (known) expect(groupsOf(known.type), name).toContain(7151)
      for (const side of known?.modifiers ?? []) expect(groupsOf(side)).toContain(244)
    }
    const categories = filesIn('models', 'pipeline.yaml').flatMap((file) => {
      const { segments = [] } = parse(readFileSync(path.join(repository, file), 'utf8')) as {
        segments?: { category?: Code }[]
      }
      return segments.flatMap((segment) => segment.category ?? [])
    })
    expect(categories.length).toBeGreaterThan(2)
    for (const code of categories) expect(groupsOf(code), code.meaning).toContain(7150)
  })
})

describe('names of classes', () => {
  it('are known with their side, whatever the order and the case, and else not', () => {
    const right = [{ value: '24028007', scheme: 'SCT', meaning: 'Right' }]
    expect(knownCodes('kidney_right')).toMatchObject({ type: { value: '64033007' }, modifiers: right })
    expect(knownCodes('Right kidney')).toEqual(knownCodes('kidney_right'))
    expect(knownCodes('Left atrium')).toMatchObject({ type: { value: '82471001' } })
    expect(knownCodes('Left atrium')?.modifiers).toBeUndefined()
    expect(knownCodes('Tumor')?.category.meaning).toBe('Morphologically Abnormal Structure')
    expect(knownCodes('liver left')).toBeNull()
    expect(knownCodes('class 1')).toBeNull()
  })
})
