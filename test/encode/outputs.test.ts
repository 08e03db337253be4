import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { itemsOf, textOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { measurementExportSchema } from '../../src/encode/measurement-export.ts'
import { encodeOutput } from '../../src/encode/outputs.ts'
import { planesOf } from '../../src/encode/planes.ts'
import { available, runProgram } from '../support/programs.ts'
import {
  furtherMeasurements,
  furtherObjects,
  furtherOutputs,
  hill,
  labelsOf,
  radiomicsParameters,
  sampleFindings,
} from './further-objects.ts'
import { fileOf, firstItem, readBack } from './read-back.ts'
import { bytesOf, syntheticInput } from './synthetic.ts'

const asDemonstrator = (input: EncodingInput): EncodingInput => ({
  ...input,
  algorithm: { ...input.algorithm, demonstrator: true },
})

/** All text values of a data set, at any depth. */
function textsIn(d: DicomJson): string[] {
  return Object.values(d).flatMap(({ vr, Value = [] }) =>
    vr === 'SQ' ? Value.flatMap((item) => textsIn((item ?? {}) as DicomJson)) : Value.map(String),
  )
}

describe('the outputs of a pipeline', () => {
  it('have UIDs and roles of their own, the same when the job is done again, and series numbers of their own', async () => {
    const describeAll = () =>
      [...furtherObjects(syntheticInput({ slices: 3 }))].map(({ chunks: _, ...object }) => object)
    const once = describeAll()
    expect(describeAll()).toEqual(once)
    expect(new Set(once.map((o) => o.sopInstanceUID)).size).toBe(once.length)
    expect(new Set(once.map((o) => o.role)).size).toBe(once.length)
    const numbers = new Map<string, string | null>()
    for (const object of furtherObjects(syntheticInput({ slices: 3 })))
      numbers.set(object.seriesInstanceUID, textOf((await readBack(object)).d, 'SeriesNumber'))
    expect(new Set(numbers.values()).size).toBe(numbers.size)
  })

  it.each([false, true])(
    'name the algorithm, and say that they are unverified; demonstrator: %s',
    async (demonstrator) => {
      const plain = syntheticInput({ slices: 3 })
      const input = demonstrator ? asDemonstrator(plain) : plain
      for (const object of furtherObjects(input)) {
        const { d } = await readBack(object)
        const equipment = firstItem(d, 'ContributingEquipmentSequence')
        expect([
          object.role,
          textOf(equipment, 'ManufacturerModelName'),
          textOf(equipment, 'SoftwareVersions'),
        ]).toEqual([object.role, 'ct-lung-density', '1.0.0'])
        expect([object.role, textOf(d, 'StudyInstanceUID')]).toEqual([object.role, input.studyInstanceUID])
        const warned = textsIn(d).filter((text) => text.toLowerCase().includes('demonstrator, not for clinical use'))
        // In the equipment, and at least once in what readers and viewers show.
        expect([object.role, warned.length >= 2]).toEqual([object.role, demonstrator])
        expect([object.role, textOf(d, 'SeriesDescription')?.endsWith('(demonstrator)')]).toEqual([
          object.role,
          demonstrator,
        ])
        expect(textOf(d, 'SeriesDescription')?.length).toBeLessThanOrEqual(64)
      }
    },
  )

  it('name what they replace', async () => {
    const predecessor = { sopClassUID: '1.2', sopInstanceUID: '1.2.3.4', seriesInstanceUID: '1.2.3' }
    const roles = ['measurements', 'measurements-in-words', 'findings', 'classification']
    const input = syntheticInput({
      slices: 3,
      revision: 2,
      predecessors: roles.map((role, i) => ({ ...predecessor, sopInstanceUID: `1.2.3.${i}`, role })),
    })
    const found: Record<string, string | null> = {}
    for (const object of furtherObjects(input)) {
      const { d } = await readBack(object)
      const series = firstItem(d, 'PredecessorDocumentsSequence', 'ReferencedSeriesSequence')
      const [instance] = itemsOf(series, 'ReferencedSOPSequence')
      if (instance) found[object.role] = textOf(instance, 'ReferencedSOPInstanceUID')
    }
    expect(found).toEqual(Object.fromEntries(roles.map((role, i) => [role, `1.2.3.${i}`])))
  })

  it('are refused when the images are of another series than the job', () => {
    const input = syntheticInput({ header: { SeriesInstanceUID: '1.2.3' } })
    const [output] = furtherOutputs(input)
    expect(() => output && [...encodeOutput(input, output)]).toThrow(/SeriesInstanceUID of the source is 1.2.3/)
  })

  it('are made a frame at a time', () => {
    const input = syntheticInput({ slices: 6 })
    let asked = 0
    const valuesOf = (plane: number): Float32Array => {
      asked++
      return hill(input, plane)
    }
    const map = furtherOutputs(input).find((output) => output.kind === 'parametric-map')
    if (map?.kind !== 'parametric-map') throw new Error('a map is expected')
    const [object] = [...encodeOutput(input, { ...map, valuesOf })]
    const chunks = object?.chunks[Symbol.iterator]()
    // Extremes are needed first: every plane was asked for once. File meta, data set, element header, then a plane each.
    expect(asked).toBe(6)
    for (let i = 0; i < 4; i++) chunks?.next()
    expect(asked).toBe(7)
  })
})

describe('measurements as JSON', () => {
  it('follow their schema, without patient data, and tie to the study by UIDs', () => {
    const input = asDemonstrator(syntheticInput())
    const file = fileOf(input, {
      kind: 'json',
      segments: input.segments,
      measurements: [
        ...furtherMeasurements(input),
        ...input.measurements.slice(0, 1).map((m) => ({ ...m, value: Number.NaN })),
      ],
      findings: sampleFindings(input),
      parameters: radiomicsParameters,
    })
    const text = bytesOf(file).toString()
    expect([file.name, file.mediaType]).toEqual(['json.json', 'application/json'])
    const found = measurementExportSchema.parse(JSON.parse(text))
    expect(found.algorithm).toMatchObject({ demonstrator: true, parameters: radiomicsParameters })
    expect(found.measurements.map((m) => m.value)).toEqual([-812.345678901, 6.4, -12.5, null])
    expect(found.measurements[2]?.comparison).toMatchObject({ value: 2400, studyInstanceUID: '1.2.3.100' })
    expect(found.findings[0]?.image?.sopInstanceUID).toBe(input.source.slices[12]?.sopInstanceUID)
    expect(found.findings[0]?.regions).toHaveLength(1)
    for (const patient of ['Test', 'Patient^', 'P-1', '19500101']) expect(text).not.toContain(patient)
  })
})

/** What nibabel, which shares no code with the node, reads: shape, type, affine, and the values in order of the file. */
const readNIfTI = `
import json, sys, nibabel, numpy
n = nibabel.load(sys.argv[1])
a = numpy.asarray(n.dataobj)
print(json.dumps({'shape': n.shape, 'type': str(n.get_data_dtype()), 'affine': n.affine.tolist(), 'qform': n.get_qform().tolist(),
  'codes': [int(n.header['qform_code']), int(n.header['sform_code'])], 'zooms': [float(z) for z in n.header.get_zooms()],
  'description': str(n.header['descrip'].item().decode()), 'values': a.flatten(order='F').tolist()}))
`

interface NIfTI {
  shape: number[]
  type: string
  affine: number[][]
  qform: number[][]
  codes: number[]
  zooms: number[]
  description: string
  values: number[]
}

describe('a NIfTI volume', () => {
  const small = { rows: 5, columns: 7, slices: 4 }

  it('is compressed, one plane after the other', () => {
    const input = syntheticInput(small)
    const file = fileOf(input, {
      kind: 'nifti',
      voxels: 'labels',
      planes: planesOf(input.source),
      sliceOf: (plane) => (plane === 2 ? null : labelsOf(input, plane)),
    })
    expect(file.name).toBe('nifti.nii.gz')
    const bytes = gunzipSync(bytesOf(file))
    expect(bytes).toHaveLength(352 + 5 * 7 * 4)
    expect(Array.from(bytes.subarray(352, 352 + 35))).toEqual(Array.from(labelsOf(input, 0)))
    expect(Array.from(bytes.subarray(352 + 70, 352 + 105)).every((value) => value === 0)).toBe(true)
  })

  describe.skipIf(!available('/usr/bin/python3'))('in another reader', () => {
    const nibabel = runProgram('python3', ['-c', 'import nibabel']).code === 0
    function read(bytes: Buffer): NIfTI {
      const folder = mkdtempSync(path.join(tmpdir(), 'hilum-nifti-'))
      try {
        writeFileSync(path.join(folder, 'volume.nii.gz'), bytes)
        const done = runProgram('python3', ['-c', readNIfTI, path.join(folder, 'volume.nii.gz')])
        if (done.code !== 0) throw new Error(done.output)
        return JSON.parse(done.stdout) as NIfTI
      } finally {
        rmSync(folder, { recursive: true })
      }
    }

    it.skipIf(!nibabel).each([
      ['axial', [1, 0, 0, 0, 1, 0]],
      ['sagittal', [0, 1, 0, 0, 0, -1]],
      ['oblique', [0.8, 0.6, 0, 0, 0, -1]],
      ['half a turn about an oblique axis', [-0.28, 0.96, 0, 0.96, 0.28, 0]],
    ])('has values and places of the source (%s)', (_, orientation) => {
      const input = syntheticInput({ ...small, orientation })
      const { source } = input
      const valuesOf = (plane: number): Float32Array => hill(input, plane)
      const found = read(
        bytesOf(fileOf(input, { kind: 'nifti', voxels: 'values', planes: planesOf(source), sliceOf: valuesOf })),
      )
      expect([found.shape, found.type, found.codes]).toEqual([[7, 5, 4], 'float32', [1, 1]])
      expect(found.values).toEqual(source.slices.flatMap((__, plane) => Array.from(valuesOf(plane))))
      expect(found.description).toBe('AI result, not verified: ct-lung-density 1.0.0')
      // Places of the first voxel of the last slice, and of the last of the first: L and P are negative in NIfTI.
      const at = (affine: number[][], voxel: number[]): number[] =>
        affine.slice(0, 3).map((row) => row.reduce((sum, value, i) => sum + value * (voxel[i] ?? 1), 0))
      const expected = (voxel: [number, number, number]): number[] => {
        const origin = source.slices[voxel[2]]?.imagePositionPatient ?? []
        const [rowSpacing = 1, columnSpacing = 1] = source.pixelSpacing ?? []
        const place = [0, 1, 2].map(
          (axis) =>
            (origin[axis] as number) +
            voxel[0] * columnSpacing * (orientation[axis] as number) +
            voxel[1] * rowSpacing * (orientation[axis + 3] as number),
        )
        return [-(place[0] as number), -(place[1] as number), place[2] as number]
      }
      for (const affine of [found.affine, found.qform])
        for (const voxel of [
          [0, 0, 0],
          [6, 4, 0],
          [0, 0, 3],
          [3, 2, 2],
        ] as [number, number, number][])
          at(affine, voxel).forEach((value, axis) => expect(value).toBeCloseTo(expected(voxel)[axis] as number, 3))
    })

    it.skipIf(!nibabel)('says that the place is unknown where images have none', () => {
      const input = syntheticInput({ ...small, slices: 1 })
      const planes = { ...planesOf(input.source), imageOrientationPatient: null, positions: [null] }
      const found = read(
        bytesOf(fileOf(input, { kind: 'nifti', voxels: 'labels', planes, sliceOf: (plane) => labelsOf(input, plane) })),
      )
      expect([found.codes, found.type]).toEqual([[0, 0], 'uint8'])
      expect(found.zooms.map((zoom) => zoom.toFixed(3))).toEqual(['0.700', '0.750', '2.500'])
    })
  })
})
