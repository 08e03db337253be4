import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = '1.2.826.0.1.3680043.12'
const ctImage = '1.2.840.10008.5.1.4.1.1.2'
export const explicit = '1.2.840.10008.1.2.1'
export const implicit = '1.2.840.10008.1.2'

/** Makes instances that nobody has sent before, in studies of twenty. */
export class InstanceMaker {
  #dicom
  #run = `${root}.${Date.now()}`
  #number = 0
  #folders = 0
  #work
  /** SHA-256 of the data sets by SOP Instance UID. */
  digests = new Map()

  /** @param dicom what the built node has for writing: `encodeDataSet` and `encodeFileMeta` */
  constructor(dicom, work) {
    this.#dicom = dicom
    this.#work = work
  }

  /** @returns {{uid: string, bytes: Buffer, offset: number}} a whole file; 9 KB, or half a megabyte */
  make({ transferSyntax = explicit, large = false } = {}) {
    const n = this.#number++
    const study = `${this.#run}.${Math.trunc(n / 20)}`
    const uid = `${study}.1.${n}`
    const size = large ? 512 : 64
    const meta = {
      mediaStorageSOPClassUID: ctImage,
      mediaStorageSOPInstanceUID: uid,
      transferSyntaxUID: transferSyntax,
    }
    const dataSet = this.#dicom.encodeDataSet(
      {
        SOPClassUID: ctImage,
        SOPInstanceUID: uid,
        StudyInstanceUID: study,
        SeriesInstanceUID: `${study}.1`,
        StudyDate: '20261121',
        Modality: 'CT',
        PatientName: 'Soak^Test',
        PatientID: `S${n % 500}`,
        StudyDescription: 'soak',
        SeriesNumber: 1,
        InstanceNumber: (n % 20) + 1,
        SamplesPerPixel: 1,
        PhotometricInterpretation: 'MONOCHROME2',
        Rows: size,
        Columns: size,
        BitsAllocated: 16,
        BitsStored: 16,
        HighBit: 15,
        PixelRepresentation: 1,
        PixelData: Buffer.alloc(size * size * 2, n & 0xff),
      },
      transferSyntax,
    )
    this.digests.set(uid, createHash('sha256').update(dataSet).digest('base64'))
    const head = this.#dicom.encodeFileMeta(meta)
    return { uid, bytes: Buffer.concat([head, dataSet]), offset: head.length }
  }

  /** Files in a folder of their own. */
  write(count, options) {
    const folder = path.join(this.#work, `batch-${this.#folders++}`)
    mkdirSync(folder)
    const instances = Array.from({ length: count }, () => this.make(options))
    const files = instances.map(({ uid, bytes }, n) => {
      const file = path.join(folder, `${n}.dcm`)
      writeFileSync(file, bytes)
      return { uid, file }
    })
    return { folder, files, uids: instances.map(({ uid }) => uid) }
  }
}
