import type { DicomJson, DicomJsonElement } from './dicom-json.ts'

/**
 * A data set as JSON text, its elements in tag order at every level, as PS3.18 F.2.2 asks. `JSON.stringify` cannot do that: JavaScript
 * puts keys that look like integers (tags such as 30060020, without letters and leading zeros) before all others.
 */
export function dicomJsonText(dataSet: DicomJson): string {
  const members = Object.keys(dataSet)
    .sort()
    .map((tag) => `"${tag}":${elementText(dataSet[tag] as DicomJsonElement)}`)
  return `{${members.join(',')}}`
}

function elementText(element: DicomJsonElement): string {
  if (element.vr !== 'SQ' || !element.Value) return JSON.stringify(element)
  const items = element.Value.map((item) => (item === null ? '{}' : dicomJsonText(item as DicomJson)))
  return `{"vr":"SQ","Value":[${items.join(',')}]}`
}
