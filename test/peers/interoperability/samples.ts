import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { syntaxesFor } from '../../../src/dicom/convert-vr.ts'
import { readHead } from '../../../src/dicom/head.ts'
import { parseFileMeta } from '../../../src/dicom/part10.ts'
import { TS, transferSyntax } from '../../../src/dicom/transfer-syntax.ts'

/** A small instance in one transfer syntax, for one client to send. */
export interface Sample {
  client: string
  file: string
  transferSyntaxUID: string
  sopClassUID: string
  sopInstanceUID: string
  seriesInstanceUID: string
  studyInstanceUID: string
}

const pydicomFiles = 'syntaxes/pydicom/test_files'

/** The public file that each syntax is shown with, in the order of the document. There is none of MPEG. */
const publicFiles: Readonly<Record<string, string>> = {
  [TS.implicitVRLittleEndian]: `${pydicomFiles}/MR_small_implicit.dcm`,
  [TS.explicitVRLittleEndian]: `${pydicomFiles}/MR_small.dcm`,
  [TS.explicitVRBigEndian]: `${pydicomFiles}/MR_small_bigendian.dcm`,
  [TS.deflated]: `${pydicomFiles}/image_dfl.dcm`,
  [TS.rle]: `${pydicomFiles}/MR_small_RLE.dcm`,
  [TS.jpegBaseline]: `${pydicomFiles}/SC_rgb_small_odd_jpeg.dcm`,
  [TS.jpegExtended]: `${pydicomFiles}/JPEG-lossy.dcm`,
  [TS.jpegLosslessProcess14]: 'syntaxes/cornerstone/CTImage.dcm_JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57.dcm',
  [TS.jpegLossless]: `${pydicomFiles}/SC_rgb_jpeg_gdcm.dcm`,
  [TS.jpegLSLossless]: `${pydicomFiles}/MR_small_jpeg_ls_lossless.dcm`,
  [TS.jpegLSNearLossless]: 'syntaxes/nema-wg04/JLSN/NM1_JLSN',
  [TS.jpeg2000Lossless]: `${pydicomFiles}/MR_small_jp2klossless.dcm`,
  [TS.jpeg2000]: `${pydicomFiles}/JPEG2000.dcm`,
  [TS.htj2kLossless]: 'syntaxes/pydicom-data/HTJ2KLossless_08_RGB.dcm',
  [TS.htj2k]: 'syntaxes/pydicom-data/HTJ2K_08_RGB.dcm',
  [TS.jpegXLJPEGRecompression]: 'syntaxes/dcm4che/will-jxl.dcm',
  [TS.deflatedImageFrame]: 'syntaxes/pydicom-data/liver_deflate.dcm',
}

/** Transfer syntaxes that there are samples of. */
export const sampledSyntaxes = Object.keys(publicFiles)

/** Files for each client, in the order of `sampledSyntaxes`. */
export function makeSamples(data: string, folder: string, clients: readonly string[]): Map<string, Sample[]> {
  const out = mkdtempSync(path.join(folder, 'samples-'))
  const done = spawnSync('/usr/bin/python3', [path.join(import.meta.dirname, 'samples.py'), data, out, ...clients], {
    input: JSON.stringify(publicFiles),
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(`samples.py: ${done.stderr}`)
  const samples = JSON.parse(done.stdout) as Sample[]
  return new Map(clients.map((client) => [client, samples.filter((sample) => sample.client === client)]))
}

/** How much of a sample an instance that came from somewhere else is. */
export function compare(sample: Sample, bytes: Buffer): 'identical' | 'same pixel data' | 'converted' | 'different' {
  const [sent, got] = [readFileSync(sample.file), bytes].map((file) => {
    const { transferSyntaxUID, dataSetOffset } = parseFileMeta(file)
    return { transferSyntaxUID, dataSet: file.subarray(dataSetOffset) }
  }) as [Instance, Instance]
  if (got.transferSyntaxUID !== sent.transferSyntaxUID) {
    const expected = syntaxesFor(sent.transferSyntaxUID).includes(got.transferSyntaxUID)
    return expected && pixelDataOf(got).equals(pixelDataOf(sent)) ? 'converted' : 'different'
  }
  if (got.dataSet.equals(sent.dataSet)) return 'identical'
  return pixelDataOf(got).equals(pixelDataOf(sent)) ? 'same pixel data' : 'different'
}

interface Instance {
  transferSyntaxUID: string
  dataSet: Buffer
}

/** Sequence Delimitation Item, which ends encapsulated pixel data. */
const delimiter = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])

/** The value of Pixel Data. Clients leave out the padding that a few samples have behind it. */
function pixelDataOf({ transferSyntaxUID, dataSet }: Instance): Buffer {
  const { deflated } = transferSyntax(transferSyntaxUID)
  const bytes = deflated ? inflateRawSync(dataSet) : dataSet
  const plain = deflated ? TS.explicitVRLittleEndian : transferSyntaxUID
  const { pixelData } = readHead(bytes, { transferSyntaxUID: plain })
  if (pixelData === null) throw new Error('there is no pixel data')
  const { offset, length } = pixelData
  return bytes.subarray(offset, length === null ? bytes.lastIndexOf(delimiter) : offset + length)
}
