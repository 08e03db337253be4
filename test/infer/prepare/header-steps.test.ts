import { describe, expect, it } from 'vitest'
import type { DicomJson } from '../../../src/dicom/dicom-json.ts'
import { tagOf } from '../../../src/dicom/dictionary.ts'
import { gridOf, imageOf, runChain } from './chain.ts'

function header(values: Record<string, unknown>): DicomJson {
  const elements: DicomJson = {}
  for (const [keyword, value] of Object.entries(values))
    elements[tagOf(keyword) ?? keyword] = { vr: 'UN', Value: [value].flat() }
  return elements
}

/** A tracer of 370 MBq with a half-life of 6588 s, given an hour before the scan to a man of 80 kg and 1.75 m. */
function petHeader(changes: Record<string, unknown> = {}, tracer: Record<string, unknown> = {}): DicomJson {
  return header({
    Units: 'BQML',
    CorrectedImage: ['DECY', 'ATTN', 'SCAT'],
    DecayCorrection: 'START',
    SeriesDate: '20240102',
    SeriesTime: '110000',
    AcquisitionDate: '20240102',
    AcquisitionTime: '110500',
    PatientWeight: 80,
    PatientSize: 1.75,
    PatientSex: 'M',
    RadiopharmaceuticalInformationSequence: header({
      RadionuclideTotalDose: 370e6,
      RadionuclideHalfLife: 6588,
      RadiopharmaceuticalStartTime: '100000.00',
      ...tracer,
    }),
    ...changes,
  })
}

const image = imageOf(gridOf([2, 1, 1]), ([x]) => 1000 * (x + 1))

/** SUV of 1000 Bq/ml. */
function suv(of: DicomJson, options: object = {}): number {
  return runChain(image, [['suv', options]], { header: of }).data[0] as number
}

const dose = 370e6 * 2 ** (-3600 / 6588)
const bodyWeight = (1000 * 80000) / dose

describe('suv', () => {
  it('divides activity by the decayed dose per gram', () => {
    expect(suv(petHeader())).toBeCloseTo(bodyWeight, 6)
    expect(runChain(image, [['suv']], { header: petHeader() }).data[1]).toBeCloseTo(2 * bodyWeight, 6)
  })

  it('takes the dose as it was given where decay is corrected to then', () => {
    expect(suv(petHeader({ DecayCorrection: 'ADMIN' }))).toBeCloseTo((1000 * 80000) / 370e6, 6)
  })

  it('normalises by lean mass, surface and ideal weight', () => {
    // By hand: 1.1 * 80 - 128 * (80/175)^2, 9270 * 80 / (6680 + 216 * 26.1224), 0.007184 * 80^0.425 * 175^0.725, 48 + 1.06 * 23.
    expect(suv(petHeader(), { normalisation: 'lbm' }) / bodyWeight).toBeCloseTo(61.2506 / 80, 5)
    expect(suv(petHeader(), { normalisation: 'lbm', leanBodyMass: 'james-120' }) / bodyWeight).toBeCloseTo(
      62.9224 / 80,
      5,
    )
    expect(suv(petHeader(), { normalisation: 'lbm', leanBodyMass: 'janmahasatian' }) / bodyWeight).toBeCloseTo(
      60.18284 / 80,
      4,
    )
    expect(suv(petHeader(), { normalisation: 'bsa' }) / bodyWeight).toBeCloseTo((1.95606 * 10) / 80, 4)
    expect(suv(petHeader(), { normalisation: 'ibw' }) / bodyWeight).toBeCloseTo(72.38 / 80, 6)
    expect(suv(petHeader({ PatientSex: 'F' }), { normalisation: 'ibw' }) / bodyWeight).toBeCloseTo(66.43 / 80, 6)
    expect(suv(petHeader({ PatientSex: 'O' }), { normalisation: 'ibw' }) / bodyWeight).toBeCloseTo(69.405 / 80, 6)
  })

  it('spans midnight, and believes a date and time of administration', () => {
    const late = { SeriesTime: '003000', AcquisitionTime: '003000' }
    expect(suv(petHeader(late, { RadiopharmaceuticalStartTime: '233000' }))).toBeCloseTo(bodyWeight, 6)
    expect(suv(petHeader({}, { RadiopharmaceuticalStartDateTime: '20240102103000.0' }))).toBeCloseTo(
      (1000 * 80000) / (370e6 * 2 ** (-1800 / 6588)),
      6,
    )
    // A shifted date is not believed, its time of day is.
    expect(suv(petHeader({}, { RadiopharmaceuticalStartDateTime: '19990102100000' }))).toBeCloseTo(bodyWeight, 6)
  })

  it('traces a series that was written later back to the start of the scan', () => {
    const later = {
      SeriesTime: '150000',
      AcquisitionTime: '110500',
      FrameReferenceTime: 390000,
      ActualFrameDuration: 180000,
    }
    // Half of a frame of 180 s, less 0.3 s for decay within it: 11:05:00 + 89.7 s - 390 s.
    expect(suv(petHeader(later))).toBeCloseTo((1000 * 80000) / (370e6 * 2 ** (-(3600 + 300 + 89.716 - 390) / 6588)), 4)
    expect(() => suv(petHeader({ ...later, FrameReferenceTime: [] }))).toThrow('Frame Reference Time is missing')
  })

  it("knows the vendors' own attributes", () => {
    const ge = { '00090010': 'GEMS_PETD_01', '0009100D': '20240102103000.00', SeriesTime: '150000' }
    expect(suv(petHeader(ge))).toBeCloseTo((1000 * 80000) / (370e6 * 2 ** (-1800 / 6588)), 6)
    const philips = { Units: 'CNTS', '70530012': 'Philips PET Private Group', '70531200': '0.000561' }
    expect(suv(petHeader(philips))).toBeCloseTo(0.561, 6)
    expect(suv(petHeader(philips), { normalisation: 'ibw' })).toBeCloseTo((0.561 * 72.38) / 80, 6)
    const asBytes = petHeader({ ...philips, '70531200': [] })
    asBytes['70531200'] = { vr: 'UN', InlineBinary: Buffer.from('0.000561 ').toString('base64') }
    expect(suv(asBytes)).toBeCloseTo(0.561, 6)
    const activity = { Units: 'CNTS', '70530010': 'Philips PET Private Group', '70531009': '1.5' }
    expect(suv(petHeader(activity))).toBeCloseTo(1.5 * bodyWeight, 6)
  })

  it('brings SUVs from one normalisation to another', () => {
    expect(suv(petHeader({ Units: 'GML' }))).toBeCloseTo(1000, 6)
    expect(suv(petHeader({ Units: 'GML' }), { normalisation: 'ibw' })).toBeCloseTo((1000 * 72.38) / 80, 4)
    expect(suv(petHeader({ Units: 'GML', SUVType: 'IBW' }))).toBeCloseTo((1000 * 80) / 72.38, 3)
    expect(suv(petHeader({ Units: 'CM2ML' }))).toBeCloseTo((1000 * 80) / 19.560599, 1)
  })

  it.each([
    ['Units', { Units: [] }, {}],
    ['Patient Weight', { PatientWeight: [] }, {}],
    ['Corrected Image', { CorrectedImage: [] }, {}],
    ['ATTN', { CorrectedImage: ['DECY'] }, {}],
    ['DECY', { CorrectedImage: ['ATTN'] }, {}],
    ['Decay Correction', { DecayCorrection: 'NONE' }, {}],
    ['Acquisition Time', { AcquisitionTime: [] }, {}],
    ['Radionuclide Total Dose', {}, { RadionuclideTotalDose: [] }],
    ['Radionuclide Half Life', {}, { RadionuclideHalfLife: 0 }],
    ['Radiopharmaceutical Start Time', {}, { RadiopharmaceuticalStartTime: [] }],
    ['Radiopharmaceutical Start Date Time', {}, { RadionuclideHalfLife: 282000 }],
    ['7053,xx00', { Units: 'CNTS' }, {}],
    ['PROPCNT', { Units: 'PROPCNT' }, {}],
  ])('refuses with the name of what is missing: %s', (name, changes, tracer) => {
    expect(() => suv(petHeader(changes, tracer))).toThrow(name)
  })

  it('refuses other normalisations without size and sex', () => {
    expect(() => suv(petHeader({ PatientSize: [] }), { normalisation: 'bsa' })).toThrow('Patient Size')
    expect(() => suv(petHeader({ PatientSex: [] }), { normalisation: 'lbm' })).toThrow('Patient Sex')
    expect(() => suv(petHeader({ PatientSize: 175 }), { normalisation: 'lbm' })).toThrow('Patient Size')
  })
})

describe('voi', () => {
  const values = imageOf(gridOf([5, 1, 1]), ([x]) => [-200, 0, 40, 80, 500][x] as number, Int16Array)
  const voi = (of: DicomJson, options: object = {}): number[] => [
    ...runChain(values, [['voi', options]], { header: of }).data,
  ]

  it('applies the window as PS3.3 C.11.2.1.2 says', () => {
    const window = { WindowCenter: [40, 600], WindowWidth: [401, 1500] }
    // ((x - (c - 0.5)) / (w - 1) + 0.5)
    expect(voi(header(window))).toEqual([0, 0.5 - 39.5 / 400, 0.5 + 0.5 / 400, 0.5 + 40.5 / 400, 1].map(Math.fround))
    const exact = voi(header({ ...window, VOILUTFunction: 'LINEAR_EXACT' }), { output: [0, 255] })
    expect(exact[2]).toBeCloseTo(127.5, 4)
    expect(voi(header({ ...window, VOILUTFunction: 'SIGMOID' }))[3]).toBeCloseTo(1 / (1 + Math.exp((-4 * 40) / 401)), 6)
    expect(voi(header(window), { index: 1 })[4]).toBeCloseTo((500 - 599.5) / 1499 + 0.5, 6)
    expect(() => voi(header(window), { index: 2 })).toThrow('alternative 2')
  })

  it('applies the LUT where there is one, with entries as numbers or bytes', () => {
    const data = [0, 100, 200, 255]
    const table = { LUTDescriptor: [4, 0, 8], LUTData: data }
    expect(voi(header({ VOILUTSequence: header(table), WindowCenter: 0, WindowWidth: 10 }))).toEqual([0, 0, 1, 1, 1])
    const wide = header({ LUTDescriptor: [81, 0, 16], LUTData: [] })
    wide[tagOf('LUTData') as string] = {
      vr: 'OW',
      InlineBinary: Buffer.from(Uint16Array.from({ length: 81 }, (_, i) => i * 100).buffer).toString('base64'),
    }
    expect(voi(header({ VOILUTSequence: wide }), { output: [0, 65535] })).toEqual([0, 0, 4000, 8000, 8000])
  })

  it('finds the window of an enhanced image, and refuses where there is none', () => {
    const shared = header({ FrameVOILUTSequence: header({ WindowCenter: 40, WindowWidth: 401 }) })
    expect(voi(header({ SharedFunctionalGroupsSequence: shared }))[4]).toBe(1)
    expect(() => voi({})).toThrow('neither VOI LUT Sequence nor Window Center')
    expect(() => voi({}, { source: 'lut' })).toThrow('no VOI LUT Sequence')
  })
})

describe('real-world-value', () => {
  const stored = imageOf(gridOf([4, 1, 1]), ([x]) => 100 * x, Int16Array)
  const unit = (code: string): DicomJson => header({ CodeValue: code })
  const first = header({
    RealWorldValueFirstValueMapped: 0,
    RealWorldValueLastValueMapped: 250,
    RealWorldValueSlope: 0.5,
    RealWorldValueIntercept: -1,
    MeasurementUnitsCodeSequence: unit('mm2/s'),
  })
  const second = header({
    DoubleFloatRealWorldValueFirstValueMapped: 0,
    DoubleFloatRealWorldValueLastValueMapped: 300,
    RealWorldValueLUTData: Array.from({ length: 301 }, (_, i) => i * i),
    MeasurementUnitsCodeSequence: unit('1'),
  })
  const both = header({ RealWorldValueMappingSequence: [first, second] })
  const map = (options: object, notes: string[] = []): number[] => [
    ...runChain(stored, [['real-world-value', options]], { header: both, notes }).data,
  ]

  it('maps by a line or a table, and says what it leaves out', () => {
    const notes: string[] = []
    expect(map({ unmapped: -5 }, notes)).toEqual([-1, 49, 99, -5])
    expect(notes).toEqual(['real-world-value: 1 stored values are outside of 0 to 250, they count as -5'])
    expect(map({ unit: '1' })).toEqual([0, 10000, 40000, 90000])
  })

  it('refuses a unit that is not there', () => {
    expect(() => map({ unit: 'g/ml' })).toThrow('no real world value mapping to g/ml: there are mappings to mm2/s, 1')
    expect(() => runChain(stored, [['real-world-value']])).toThrow('no Real World Value Mapping Sequence')
  })
})

describe('invert-monochrome1', () => {
  const bytes = imageOf(gridOf([3, 1, 1]), ([x]) => [10, 20, 250][x] as number, Uint8Array)
  const of = (interpretation: string): DicomJson => header({ PhotometricInterpretation: interpretation })

  it('turns MONOCHROME1 round, and nothing else', () => {
    expect([...runChain(bytes, [['invert-monochrome1']], { header: of('MONOCHROME1') }).data]).toEqual([250, 240, 10])
    expect([
      ...runChain(bytes, [['invert-monochrome1', { range: [0, 255] }]], { header: of('MONOCHROME1') }).data,
    ]).toEqual([245, 235, 5])
    expect(runChain(bytes, [['invert-monochrome1']], { header: of('MONOCHROME2') })).toBe(bytes)
  })
})
