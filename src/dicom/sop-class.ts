import { serviceSOPClasses, storageSOPClasses } from './sop-class-registry.ts'

/** The SOP class UIDs that the code speaks of by name (PS3.6 table A-1). */
export const SOP = {
  verification: '1.2.840.10008.1.1',
  storageCommitmentPushModel: '1.2.840.10008.1.20.1',
  storageCommitmentPushModelInstance: '1.2.840.10008.1.20.1.1',
  modalityPerformedProcedureStep: '1.2.840.10008.3.1.2.3.3',
  modalityWorklistFind: '1.2.840.10008.5.1.4.31',
  instanceAvailabilityNotification: '1.2.840.10008.5.1.4.33',
  unifiedProcedureStepPush: '1.2.840.10008.5.1.4.34.6.1',
  unifiedProcedureStepWatch: '1.2.840.10008.5.1.4.34.6.2',
  unifiedProcedureStepPull: '1.2.840.10008.5.1.4.34.6.3',
  unifiedProcedureStepEvent: '1.2.840.10008.5.1.4.34.6.4',
  unifiedProcedureStepQuery: '1.2.840.10008.5.1.4.34.6.5',
  patientRootFind: '1.2.840.10008.5.1.4.1.2.1.1',
  patientRootMove: '1.2.840.10008.5.1.4.1.2.1.2',
  patientRootGet: '1.2.840.10008.5.1.4.1.2.1.3',
  studyRootFind: '1.2.840.10008.5.1.4.1.2.2.1',
  studyRootMove: '1.2.840.10008.5.1.4.1.2.2.2',
  studyRootGet: '1.2.840.10008.5.1.4.1.2.2.3',
  computedRadiographyImage: '1.2.840.10008.5.1.4.1.1.1',
  digitalXRayImageForPresentation: '1.2.840.10008.5.1.4.1.1.1.1',
  digitalXRayImageForProcessing: '1.2.840.10008.5.1.4.1.1.1.1.1',
  digitalMammographyImageForPresentation: '1.2.840.10008.5.1.4.1.1.1.2',
  digitalMammographyImageForProcessing: '1.2.840.10008.5.1.4.1.1.1.2.1',
  ctImage: '1.2.840.10008.5.1.4.1.1.2',
  enhancedCTImage: '1.2.840.10008.5.1.4.1.1.2.1',
  legacyConvertedEnhancedCTImage: '1.2.840.10008.5.1.4.1.1.2.2',
  ultrasoundMultiFrameImage: '1.2.840.10008.5.1.4.1.1.3.1',
  mrImage: '1.2.840.10008.5.1.4.1.1.4',
  enhancedMRImage: '1.2.840.10008.5.1.4.1.1.4.1',
  enhancedMRColorImage: '1.2.840.10008.5.1.4.1.1.4.3',
  legacyConvertedEnhancedMRImage: '1.2.840.10008.5.1.4.1.1.4.4',
  ultrasoundImage: '1.2.840.10008.5.1.4.1.1.6.1',
  secondaryCaptureImage: '1.2.840.10008.5.1.4.1.1.7',
  multiFrameSingleBitSecondaryCaptureImage: '1.2.840.10008.5.1.4.1.1.7.1',
  multiFrameGrayscaleByteSecondaryCaptureImage: '1.2.840.10008.5.1.4.1.1.7.2',
  multiFrameGrayscaleWordSecondaryCaptureImage: '1.2.840.10008.5.1.4.1.1.7.3',
  multiFrameTrueColorSecondaryCaptureImage: '1.2.840.10008.5.1.4.1.1.7.4',
  grayscaleSoftcopyPresentationState: '1.2.840.10008.5.1.4.1.1.11.1',
  xRayAngiographicImage: '1.2.840.10008.5.1.4.1.1.12.1',
  xRayRadiofluoroscopicImage: '1.2.840.10008.5.1.4.1.1.12.2',
  breastTomosynthesisImage: '1.2.840.10008.5.1.4.1.1.13.1.3',
  nuclearMedicineImage: '1.2.840.10008.5.1.4.1.1.20',
  parametricMap: '1.2.840.10008.5.1.4.1.1.30',
  rawData: '1.2.840.10008.5.1.4.1.1.66',
  spatialRegistration: '1.2.840.10008.5.1.4.1.1.66.1',
  segmentation: '1.2.840.10008.5.1.4.1.1.66.4',
  surfaceSegmentation: '1.2.840.10008.5.1.4.1.1.66.5',
  labelMapSegmentation: '1.2.840.10008.5.1.4.1.1.66.7',
  realWorldValueMapping: '1.2.840.10008.5.1.4.1.1.67',
  vlWholeSlideMicroscopyImage: '1.2.840.10008.5.1.4.1.1.77.1.6',
  basicTextSR: '1.2.840.10008.5.1.4.1.1.88.11',
  enhancedSR: '1.2.840.10008.5.1.4.1.1.88.22',
  comprehensiveSR: '1.2.840.10008.5.1.4.1.1.88.33',
  comprehensive3DSR: '1.2.840.10008.5.1.4.1.1.88.34',
  keyObjectSelectionDocument: '1.2.840.10008.5.1.4.1.1.88.59',
  xRayRadiationDoseSR: '1.2.840.10008.5.1.4.1.1.88.67',
  encapsulatedPDF: '1.2.840.10008.5.1.4.1.1.104.1',
  petImage: '1.2.840.10008.5.1.4.1.1.128',
  legacyConvertedEnhancedPETImage: '1.2.840.10008.5.1.4.1.1.128.1',
  enhancedPETImage: '1.2.840.10008.5.1.4.1.1.130',
  rtImage: '1.2.840.10008.5.1.4.1.1.481.1',
  rtDose: '1.2.840.10008.5.1.4.1.1.481.2',
  rtStructureSet: '1.2.840.10008.5.1.4.1.1.481.3',
  rtPlan: '1.2.840.10008.5.1.4.1.1.481.5',
} as const

/** The name that PS3.6 table A-1 gives to a SOP class; undefined for an unknown or private one. */
export function sopClassName(uid: string): string | undefined {
  return storageSOPClasses[uid] ?? serviceSOPClasses[uid]
}

/** True for a storage SOP class, false for any other of the standard's, undefined for an unknown or private UID. */
export function isStorageSOPClass(uid: string): boolean | undefined {
  if (storageSOPClasses[uid] !== undefined) return true
  return serviceSOPClasses[uid] === undefined ? undefined : false
}

/** UIDs of all storage SOP classes, as a node that accepts everything proposes and accepts them. */
export function storageSOPClassUIDs(): string[] {
  return Object.keys(storageSOPClasses)
}
