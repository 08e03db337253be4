import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { numberOf, numbersOf, textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { type SyntheticOptions, syntheticInput } from '../encode/synthetic.ts'
import { runProgram } from './programs.ts'

export interface SourceOptions extends SyntheticOptions {
  /** Specific Character Set of the source. */
  charset?: string
  /** What the source's header has besides or instead; null leaves an attribute out. */
  values?: Record<string, unknown>
}

/** Writes source images with a writer that shares no code with the node; argument: a JSON file. */
const writeSource = `
import json, sys, numpy, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
spec = json.load(open(sys.argv[1]))
def fill(ds, values):
    for k, v in values.items():
        setattr(ds, k, Sequence([fill(Dataset(), i) for i in v]) if isinstance(v, list) and v and isinstance(v[0], dict) else v)
    return ds
for i, s in enumerate(spec['instances']):
    ds = fill(Dataset(), {**spec['header'], **s['values']})
    ds.SpecificCharacterSet = spec['charset']
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PixelData = numpy.zeros(ds.Rows * ds.Columns * int(getattr(ds, 'NumberOfFrames', 1)), numpy.int16).tobytes()
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.save_as('%s/%04d.dcm' % (sys.argv[2], i), write_like_original=False)
`

/**
 * Writes the images that a synthetic input speaks of into a folder.
 * @returns the input, with the header as the node's own reader finds it
 */
export async function writeSourceInstances(folder: string, options: SourceOptions): Promise<EncodingInput> {
  const input = syntheticInput(options)
  const spec = path.join(folder, '..', 'spec.json')
  writeFileSync(spec, JSON.stringify({ charset: options.charset ?? 'ISO_IR 100', ...sourceOf(input, options) }))
  const written = runProgram('python3', ['-c', writeSource, spec, folder])
  if (written.code !== 0) throw new Error(written.output)
  const [first = ''] = readdirSync(folder).sort()
  const header = (await readInstanceFile(path.join(folder, first))).elements
  return { ...input, source: { ...input.source, header } }
}

/** The instances that a synthetic input speaks of, for the writer above. */
function sourceOf({ source, studyInstanceUID }: EncodingInput, options: { values?: Record<string, unknown> }) {
  const header: Record<string, unknown> = {
    PatientName: 'Test^Patient',
    PatientID: 'P-1',
    IssuerOfPatientID: 'HOSPITAL',
    PatientBirthDate: '19500101',
    PatientSex: 'O',
    StudyDate: '20250102',
    StudyTime: '101112',
    AccessionNumber: 'A123',
    ReferringPhysicianName: 'Refer^Red',
    StudyID: '77',
    StudyDescription: 'CT THORAX',
    Modality: 'CT',
    BodyPartExamined: 'CHEST',
    SliceThickness: '2.5',
    FrameOfReferenceUID: '1.2.3.4.5',
    PositionReferenceIndicator: 'SN',
    StudyInstanceUID: studyInstanceUID,
    SeriesInstanceUID: source.seriesInstanceUID,
    Rows: source.rows,
    Columns: source.columns,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    ...options.values,
  }
  for (const [keyword, value] of Object.entries(header)) if (value === null) delete header[keyword]
  const instances = new Map<string, Record<string, unknown>>()
  for (const slice of source.slices) {
    const values: Record<string, unknown> = { SOPClassUID: slice.sopClassUID, SOPInstanceUID: slice.sopInstanceUID }
    if (slice.imagePositionPatient === null) Object.assign(values, { PixelSpacing: source.pixelSpacing })
    else if (slice.frame === null)
      Object.assign(values, {
        ImagePositionPatient: slice.imagePositionPatient,
        ImageOrientationPatient: source.imageOrientationPatient,
        PixelSpacing: source.pixelSpacing,
      })
    else values.NumberOfFrames = source.slices.length
    instances.set(slice.sopInstanceUID, { values })
  }
  return { header, instances: [...instances.values()] }
}

/** The synthetic lungs on the grid of a real series of single-frame images. */
export async function realInput(folder: string): Promise<EncodingInput> {
  const files = await Promise.all(readdirSync(folder).map((name) => readInstanceFile(path.join(folder, name))))
  const sorted = files
    .map(({ elements }) => ({ elements, position: numbersOf(elements, 'ImagePositionPatient') }))
    .sort((a, b) => (a.position[2] ?? 0) - (b.position[2] ?? 0))
  const [first, second] = sorted
  if (!first || !second) throw new Error('the series has too few instances')
  const { elements: header } = first
  const synthetic = syntheticInput({
    study: textOf(header, 'StudyInstanceUID') ?? '',
    rows: numberOf(header, 'Rows') ?? 0,
    columns: numberOf(header, 'Columns') ?? 0,
    slices: sorted.length,
  })
  return {
    ...synthetic,
    source: {
      ...synthetic.source,
      seriesInstanceUID: textOf(header, 'SeriesInstanceUID') ?? '',
      header,
      pixelSpacing: numbersOf(header, 'PixelSpacing'),
      imageOrientationPatient: numbersOf(header, 'ImageOrientationPatient'),
      sliceSpacing: Math.hypot(...first.position.map((value, axis) => (second.position[axis] ?? 0) - value)),
      slices: sorted.map(({ elements, position }) => ({
        sopClassUID: textOf(elements, 'SOPClassUID') ?? '',
        sopInstanceUID: textOf(elements, 'SOPInstanceUID') ?? '',
        frame: null,
        imagePositionPatient: position,
      })),
    },
  }
}
