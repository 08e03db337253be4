import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { readHeadInTurns } from '../dicom/head-in-turns.ts'
import type { ServiceRequest } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { HilumError } from '../errors.ts'

/** Elements by tag: `true` keeps one as it is, more of the same keeps these elements of a sequence's items. */
export interface KeptElements {
  readonly [tag: string]: true | KeptElements
}

/**
 * The attributes of a normalized request (PS3.7 10.1), as far as somebody needs them: whatever else is there, patient data above all,
 * goes no further.
 * @throws HilumError `unreadable-attributes`, with the status 0x0106 (invalid attribute value)
 */
export async function readAttributes(
  { context, dataSet }: Pick<ServiceRequest, 'context' | 'dataSet'>,
  kept: KeptElements,
): Promise<DicomJson> {
  if (dataSet === null) return {}
  const only = new Set(Object.keys(kept).map((tag) => Number.parseInt(tag, 16)))
  const head = await readHeadInTurns(dataSet, { transferSyntaxUID: context.transferSyntax, only })
  if (head.ended === 'truncated' || head.ended === 'malformed')
    throw new HilumError('unreadable-attributes', `the data set is ${head.ended}`, {
      detail: { status: dimseStatus.invalidAttributeValue },
    })
  await nextTurn()
  const attributes = keep(head.elements, kept)
  await nextTurn()
  return attributes
}

function keep(dataSet: DicomJson, kept: KeptElements): DicomJson {
  const result: DicomJson = {}
  for (const [tag, inside] of Object.entries(kept)) {
    const element = dataSet[tag]
    if (element !== undefined) result[tag] = inside === true ? element : keepItems(element, inside)
  }
  return result
}

function keepItems({ vr, Value }: DicomJsonElement, kept: KeptElements): DicomJsonElement {
  const items = (Value ?? []).filter((item): item is DicomJson => typeof item === 'object' && item !== null)
  return items.length === 0 ? { vr } : { vr, Value: items.map((item) => keep(item, kept)) }
}
