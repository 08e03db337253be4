import { expect, it } from 'vitest'
import { dicomJsonText } from '../../src/dicom/dicom-json-text.ts'

it('writes a data set with its elements in tag order, at every level', () => {
  const item = { '30060022': { vr: 'IS', Value: [1] }, '00080060': { vr: 'CS', Value: ['RTSTRUCT'] } }
  const dataSet = {
    '30060020': { vr: 'SQ', Value: [item, {}] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'A"B' }, null] },
  }
  const text = dicomJsonText(dataSet)
  expect(text.match(/"[0-9A-F]{8}"/g)).toEqual(['"00100010"', '"30060020"', '"00080060"', '"30060022"'])
  expect(JSON.parse(text)).toEqual(dataSet)
  expect(dicomJsonText({ '00081115': { vr: 'SQ' } })).toBe('{"00081115":{"vr":"SQ"}}')
})
