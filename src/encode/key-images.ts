import { type Code, codeItem } from '../dicom/codes.ts'
import { SOP } from '../dicom/sop-class.ts'
import { caution } from './caution.ts'
import { codingSchemes } from './coding-schemes.ts'
import { concept, english } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { hierarchicalReferences, imageReference, instancesOf } from './references.ts'
import { encodeObject, momentOf } from './result-object.ts'
import { code, templateItem, text } from './sr-content.ts'
import { deviceObserver } from './sr-document.ts'

const ofInterest: Code = { value: '113000', scheme: 'DCM', meaning: 'Of Interest' }

export interface KeyImages {
  output?: OutputName | undefined
  /** CID 7010; Of Interest when left out. */
  title?: Code
  /** Why these images were chosen. */
  description: string
  /** In order of importance; images of other series of the study name their series. */
  images: readonly SourceSlice[]
}

/**
 * A Key Object Selection document (PS3.3 A.35.4, TID 2010): the images of a finding, of one or several series of the study. The observer is
 * the algorithm.
 * @throws {EncodeError} `nothing-to-encode` without images
 */
export function encodeKeyImages(context: ResultContext, keyImages: KeyImages): EncodedObject {
  const { source } = context
  const { images, title = ofInterest } = keyImages
  if (images.length === 0) throw new EncodeError('nothing-to-encode', 'a key object selection needs an image')
  const moment = momentOf(context)
  const instances = instancesOf(source, images)
  const kind = {
    role: 'key-images',
    output: keyImages.output,
    sopClassUID: SOP.keyObjectSelectionDocument,
    modality: 'KO',
    description: 'key images',
  } as const
  return encodeObject(context, kind, {
    ...codingSchemes([title]),
    ReferencedPerformedProcedureStepSequence: [],
    ContentDate: moment.date,
    ContentTime: moment.time,
    CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(context.studyInstanceUID, instances),
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(title)],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [templateItem('2010')],
    ContentSequence: [
      code('HAS CONCEPT MOD', concept.language, english),
      ...deviceObserver(context),
      text('CONTAINS', concept.keyObjectDescription, `${caution(context.algorithm)}: ${keyImages.description}`),
      ...images.map((slice) => ({
        RelationshipType: 'CONTAINS',
        ValueType: 'IMAGE',
        ReferencedSOPSequence: [imageReference(slice)],
      })),
    ],
  })
}
