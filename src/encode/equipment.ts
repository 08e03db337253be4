import { type Code, codeItem } from '../dicom/codes.ts'
import { implementationVersionName } from '../dicom/uid.ts'
import { notForClinicalUse } from './caution.ts'
import type { DicomMoment } from './date-time.ts'
import type { Algorithm } from './encoding-input.ts'
import { deviceUID } from './identity.ts'
import type { NaturalDataSet } from './patient-study.ts'

export const manufacturer = 'Hilum'
export const modelName = 'Hilum'

/** `HILUM_0_1_0` to `0.1.0`. */
export const softwareVersion = implementationVersionName.replace(/^[A-Z]+_/, '').replaceAll('_', '.')

const processingEquipment: Code = { value: '109102', scheme: 'DCM', meaning: 'Processing Equipment' }
const artificialIntelligence: Code = { value: '123110', scheme: 'DCM', meaning: 'Artificial Intelligence' }

/**
 * Enhanced General Equipment (PS3.3 C.7.5.2), and one item of Contributing Equipment for the algorithm (IHE AIR): the DeviceUID and the
 * serial number change whenever a file of the pipeline changes.
 */
export function equipment(algorithm: Algorithm, moment: DicomMoment): NaturalDataSet {
  const serial = algorithm.digest.replace(/^sha256:/, '').slice(0, 16)
  return {
    Manufacturer: manufacturer,
    ManufacturerModelName: modelName,
    DeviceSerialNumber: serial,
    SoftwareVersions: softwareVersion,
    ContributingEquipmentSequence: [
      {
        PurposeOfReferenceCodeSequence: [codeItem(processingEquipment)],
        Manufacturer: algorithm.manufacturer,
        ManufacturerModelName: algorithm.name.slice(0, 64),
        DeviceSerialNumber: serial,
        SoftwareVersions: algorithm.version.slice(0, 64),
        DeviceUID: deviceUID(algorithm.digest),
        ContributionDateTime: moment.dateTime,
        ContributionDescription: algorithm.demonstrator ? `${algorithm.title}: ${notForClinicalUse}` : algorithm.title,
      },
    ],
  }
}

/** The item of Algorithm Identification (PS3.3 10.16). */
export function algorithmIdentification(algorithm: Algorithm): NaturalDataSet {
  return {
    AlgorithmFamilyCodeSequence: [codeItem(algorithm.family ?? artificialIntelligence)],
    AlgorithmName: algorithm.name.slice(0, 64),
    AlgorithmVersion: algorithm.version.slice(0, 64),
    AlgorithmSource: algorithm.manufacturer,
    AlgorithmParameters: algorithm.digest,
  }
}
