import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { keywordOf } from '../dicom/dictionary.ts'
import { ItemFacts, SeriesFacts, StudyFacts } from './facts.ts'
import { type ElementType, elementType } from './vocabulary.ts'

/** A series as the index knows it. */
export interface RoutableSeries {
  seriesInstanceUID: string
  /** The first instance's elements. */
  header: DicomJson
  instances: number
}

/** A complete study revision, as far as routes look at it: source series only. */
export interface RoutableStudy {
  studyInstanceUID: string
  /** Patient and study level elements. */
  header: DicomJson
  series: RoutableSeries[]
  /** The day on which it is decided, as DA writes it; left out: what speaks of today is false. */
  today?: string
}

/**
 * The elements of a data set under their keywords: numbers for numeric VRs, text for the others (PN: the alphabetic
 * group; dates and times as they are written), lists where PS3.6 allows several values, items for sequences. Empty
 * elements, binary values and private elements are left out, so that `has(series.KVP)` means "has a value".
 */
export function seriesFacts(series: RoutableSeries): SeriesFacts {
  const facts = new SeriesFacts()
  addElements(facts, series.header)
  return Object.assign(facts, { instances: series.instances })
}

/** The study's facts over those of its series (in the same order as in the study). */
export function studyFacts(study: RoutableStudy, series: SeriesFacts[]): StudyFacts {
  const facts = new StudyFacts()
  addElements(facts, study.header)
  const modalities = [...new Set(series.map((s) => s.Modality).filter((m) => typeof m === 'string'))].sort()
  const instances = study.series.reduce((sum, s) => sum + s.instances, 0)
  return Object.assign(facts, {
    series,
    Modalities: modalities,
    instances,
    ModalitiesInStudy: modalities,
    NumberOfStudyRelatedSeries: series.length,
    NumberOfStudyRelatedInstances: instances,
  })
}

function addElements(facts: object, dataSet: DicomJson): void {
  for (const [tag, element] of Object.entries(dataSet)) {
    const keyword = keywordOf(tag)
    const type = keyword === undefined ? undefined : elementType(keyword)
    if (keyword === undefined || !type || !element.Value || element.Value.length === 0) continue
    // Repeating groups (PS3.5 7.6), such as two overlays, share their keywords: the first one speaks.
    if (Object.hasOwn(facts, keyword)) continue
    if (type.kind === 'items') addSequence(facts, keyword, element)
    else {
      const value = valueOf(element, type)
      if (value !== undefined) (facts as Record<string, unknown>)[keyword] = value
    }
  }
}

/** Sequences are converted when a rule looks at them: per-frame functional groups can be large. */
function addSequence(facts: object, keyword: string, element: DicomJsonElement): void {
  let items: ItemFacts[] | undefined
  Object.defineProperty(facts, keyword, {
    enumerable: true,
    get: () => {
      items ??= (element.Value ?? []).filter(isDataSet).map((item) => {
        const itemFacts = new ItemFacts()
        addElements(itemFacts, item)
        return itemFacts
      })
      return items
    },
  })
}

function valueOf(element: DicomJsonElement, type: ElementType): unknown {
  const convert: (value: unknown) => number | string | undefined = type.kind === 'number' ? numberFrom : textFrom
  if (type.kind === 'opaque') return undefined
  const values = (element.Value ?? []).map(convert).filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  return type.list ? values : values[0]
}

function numberFrom(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

function textFrom(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return undefined
  const name = value as { Alphabetic?: unknown; Ideographic?: unknown }
  const group = name.Alphabetic ?? name.Ideographic
  return typeof group === 'string' && group !== '' ? group : undefined
}

function isDataSet(value: unknown): value is DicomJson {
  return typeof value === 'object' && value !== null
}
