import { textOf, textsOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { SOP } from '../dicom/sop-class.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'

/** A single-frame image class that images derived of a source can have. */
export interface ImageKind {
  sopClassUID: string
  modality: string
  /** Present in every object, if need be empty (type 2), or with this value (type 1). */
  required: Readonly<Record<string, string>>
  /** Copied when the source has them. */
  optional: readonly string[]
  /** Value 3 of Image Type where the source has none. */
  imageFlavor: string | null
}

/** Of General Series, Patient Study, General Image and Contrast/Bolus: they still hold of an image that was computed from another. */
const general = [
  'PatientPosition',
  'ProtocolName',
  'AnatomicRegionSequence',
  'PatientOrientation',
  'AcquisitionDate',
  'AcquisitionTime',
  'AcquisitionNumber',
  'ContrastBolusAgent',
  'ContrastBolusRoute',
  'ContrastBolusVolume',
]

const ct: ImageKind = {
  sopClassUID: SOP.ctImage,
  modality: 'CT',
  required: { KVP: '', AcquisitionNumber: '' },
  optional: [...general, 'ScanOptions', 'ConvolutionKernel', 'ReconstructionDiameter', 'XRayTubeCurrent', 'Exposure'],
  imageFlavor: 'AXIAL',
}

const mr: ImageKind = {
  sopClassUID: SOP.mrImage,
  modality: 'MR',
  // RM: research mode; what an enhanced object says of its sequence has no place here (PS3.3 C.8.3.1).
  required: {
    ScanningSequence: 'RM',
    SequenceVariant: 'NONE',
    ScanOptions: '',
    MRAcquisitionType: '',
    RepetitionTime: '',
    EchoTime: '',
    EchoTrainLength: '',
  },
  optional: [
    ...general,
    'SequenceName',
    'InversionTime',
    'TriggerTime',
    'MagneticFieldStrength',
    'FlipAngle',
    'ImagedNucleus',
    'ImagingFrequency',
    'EchoNumbers',
    'NumberOfAverages',
    'PixelBandwidth',
  ],
  imageFlavor: 'OTHER',
}

const pt: ImageKind = {
  sopClassUID: SOP.petImage,
  modality: 'PT',
  required: {
    Units: 'NONE',
    CountsSource: 'EMISSION',
    CorrectedImage: '',
    DecayCorrection: 'NONE',
    CollimatorType: '',
    FrameReferenceTime: '0',
    ActualFrameDuration: '',
    SeriesType: 'STATIC\\IMAGE',
    RadiopharmaceuticalInformationSequence: '',
    PatientOrientationCodeSequence: '',
    PatientGantryRelationshipCodeSequence: '',
  },
  optional: [
    ...general,
    'SUVType',
    'DecayFactor',
    'RandomsCorrectionMethod',
    'AttenuationCorrectionMethod',
    'ScatterCorrectionMethod',
  ],
  imageFlavor: null,
}

const kinds: Readonly<Record<string, ImageKind>> = {
  [SOP.ctImage]: ct,
  [SOP.enhancedCTImage]: ct,
  [SOP.legacyConvertedEnhancedCTImage]: ct,
  [SOP.mrImage]: mr,
  [SOP.enhancedMRImage]: mr,
  [SOP.legacyConvertedEnhancedMRImage]: mr,
  [SOP.petImage]: pt,
  [SOP.enhancedPETImage]: pt,
  [SOP.legacyConvertedEnhancedPETImage]: pt,
}

/**
 * The class of images derived of a class: the same where it is CT, MR or PET (single-frame, also of enhanced sources), else Secondary
 * Capture, because the modules of the other classes speak of a detector that a computed image does not have.
 * @param header of a source image
 */
export function imageKind(header: DicomJson, sopClassUID: string): ImageKind {
  return (
    kinds[sopClassUID] ?? {
      sopClassUID: SOP.secondaryCaptureImage,
      modality: textOf(header, 'Modality') ?? 'OT',
      required: { ConversionType: 'WSD' },
      optional: [...general, 'ViewPosition'],
      imageFlavor: null,
    }
  )
}

/** Attributes that a derived image takes from its source, with Image Type DERIVED\SECONDARY (PS3.3 C.7.6.1.1.2). */
export function attributesOfSource(header: DicomJson, kind: ImageKind): NaturalDataSet {
  const attributes: NaturalDataSet = {}
  for (const [keyword, value] of Object.entries(kind.required)) {
    const isSequence = keyword.endsWith('Sequence')
    attributes[keyword] = copied(header, keyword) ?? (isSequence ? [] : value.split('\\'))
  }
  for (const keyword of kind.optional) {
    const value = copied(header, keyword)
    if (value !== null) attributes[keyword] = value
  }
  const flavor = textsOf(header, 'ImageType')[2] || kind.imageFlavor
  attributes.ImageType = ['DERIVED', 'SECONDARY', ...(flavor ? [flavor] : [])]
  attributes.BurnedInAnnotation = textOf(header, 'BurnedInAnnotation') === 'YES' ? 'YES' : 'NO'
  return attributes
}
