import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import type { Code } from '../../../src/dicom/codes.ts'
import { itemsOf, textOf } from '../../../src/dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../../../src/dicom/dicom-json.ts'
import { keywordOf } from '../../../src/dicom/dictionary.ts'
import { readHead } from '../../../src/dicom/head.ts'
import { parseFileMeta } from '../../../src/dicom/part10.ts'
import { privateScheme } from '../../../src/encode/coding-schemes.ts'
import type { EncodingInput } from '../../../src/encode/encoding-input.ts'
import { always, whenPresent } from '../../../src/encode/patient-study.ts'
import { lungResults } from '../../encode/lung-results.ts'
import { syntheticInput } from '../../encode/synthetic.ts'
import { repository } from '../data.ts'
import { table, tagText } from './table.ts'

/** The generated parts of the conformance statement that speak of the objects that Hilum makes, by name. */
export function objectTables(): Record<string, string> {
  const [one, other] = [objectsOf(syntheticInput()), objectsOf(anotherInput())]
  return {
    'seg-attributes': attributes(one.segmentation ?? {}, other.segmentation ?? {}),
    'sr-attributes': attributes(one.measurements ?? {}, other.measurements ?? {}),
    'copied-attributes': whenPresent.map((keyword) => `\`${keyword}\``).join(', '),
    'coded-terms': codedTerms(one),
    'private-codes': privateCodes(),
  }
}

type Objects = Partial<Record<string, DicomJson>>

/** The results of one job, by role, without pixel data. */
function objectsOf(input: EncodingInput): Objects {
  const found: Objects = {}
  for (const { role, chunks } of lungResults(input)) {
    const file = Buffer.concat([...chunks])
    const { transferSyntaxUID, dataSetOffset } = parseFileMeta(file)
    found[role] = readHead(file.subarray(dataSetOffset), { transferSyntaxUID }).elements
  }
  return found
}

/** Another study, source and algorithm: what is the same in its results is the same in all. */
function anotherInput(): EncodingInput {
  const header = { Modality: 'MR', FrameOfReferenceUID: '1.2.3.9', PositionReferenceIndicator: 'XY', SliceThickness: 1 }
  const input = syntheticInput({ study: '1.2.3', rows: 48, columns: 32, slices: 12, header })
  const algorithm = { name: 'another', version: '2.0.0', title: 'Another algorithm', manufacturer: 'Another maker' }
  return {
    ...input,
    at: '2026-07-08T09:10:11.012Z',
    algorithm: { ...input.algorithm, ...algorithm, digest: `sha256:${'cd'.repeat(32)}` },
  }
}

function attributes(one: DicomJson, other: DicomJson): string {
  const rows = Object.entries(one)
    .sort(([a], [b]) => a.localeCompare(b))
    .filter(([tag]) => !whenPresent.includes(keywordOf(tag) ?? ''))
    .map(([tag, element]) => [keywordOf(tag) ?? '', tagText(tag), element.vr, originOf(tag, element, other[tag])])
  return table(['Attribute', 'Tag', 'VR', 'Value'], rows)
}

function originOf(tag: string, element: DicomJsonElement, other: DicomJsonElement | undefined): string {
  const keyword = keywordOf(tag) ?? ''
  if (always.includes(keyword)) return 'of the source; empty where it has none'
  if (keyword === 'StudyInstanceUID') return 'of the study'
  if (JSON.stringify(element) !== JSON.stringify(other)) return 'of this result'
  const values = element.Value ?? []
  if (element.vr === 'SQ') return values.length === 0 ? 'empty' : 'always the same items'
  return values.length === 0 ? 'empty' : `\`${values.join('\\')}\``
}

const codeText = ({ value, scheme, meaning }: Code): string => `(${value}, ${scheme}, "${meaning}")`

/** The names of the content items of all reports. */
function codedTerms(objects: Objects): string {
  const names = Object.values(objects).flatMap((elements) => conceptNames(elements ?? {}))
  return table(
    ['Concept'],
    [...new Set(names.map(codeText))].sort().map((text) => [text]),
  )
}

function conceptNames(elements: DicomJson): Code[] {
  const own = itemsOf(elements, 'ConceptNameCodeSequence').map((item) => ({
    value: textOf(item, 'CodeValue') ?? '',
    scheme: textOf(item, 'CodingSchemeDesignator') ?? '',
    meaning: textOf(item, 'CodeMeaning') ?? '',
  }))
  // The names of measurements are the pipeline's.
  const isMeasurement = textOf(elements, 'ValueType') === 'NUM'
  return [...(isMeasurement ? [] : own), ...itemsOf(elements, 'ContentSequence').flatMap(conceptNames)]
}

function privateCodes(): string {
  const models = path.join(repository, 'models')
  const codes = readdirSync(models).flatMap((name) => {
    const manifest: unknown = parse(readFileSync(path.join(models, name, 'pipeline.yaml'), 'utf8'))
    const own = codesIn(manifest).filter(({ scheme }) => scheme === privateScheme)
    return [...new Set(own.map(codeText))].map((text) => [text, `\`${name}\``])
  })
  return table(['Code', 'Pipeline'], codes)
}

/** Every code of a manifest, at any depth. */
function codesIn(value: unknown): Code[] {
  if (typeof value !== 'object' || value === null) return []
  const { value: code, scheme, meaning } = value as Partial<Code>
  const own = typeof code === 'string' && typeof scheme === 'string' && typeof meaning === 'string'
  return [...(own ? [value as Code] : []), ...Object.values(value).flatMap(codesIn)]
}
