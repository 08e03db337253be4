import { numberOf, textOf } from '../dicom/dataset.ts'
import { SOP } from '../dicom/sop-class.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import { caution, nameAndVersion, unverified } from './caution.ts'
import { cielab } from './colour.ts'
import type { EncodedObject } from './encoded.ts'
import type { OutputName, ResultContext, SourceSlice } from './encoding-input.ts'
import { EncodeError } from './error.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'
import { imageReference } from './references.ts'
import { graphicOf, type Region } from './region.ts'
import { bodyPart, encodeObject, momentOf } from './result-object.ts'

/** Shapes on one image, with words beside them. */
export interface Annotation {
  /** Index of the slice in the source. */
  slice: number
  regions: readonly Region[]
  /** Written beside the first region. */
  text?: string | undefined
}

export interface PresentationState {
  output?: OutputName | undefined
  annotations: readonly Annotation[]
  /** How the images are first shown; the source's own window when left out. */
  window?: { center: number; width: number; explanation?: string } | undefined
  /** Of the shapes; yellow when left out. */
  colour?: readonly number[]
}

/** Name of the only graphic layer. */
const layer = 'AI_RESULT'

/**
 * A Grayscale Softcopy Presentation State (PS3.3 A.33.1) over all images of the source: shapes and text, each annotated image labelled as an
 * unverified AI result, the window, the whole image shown.
 * @throws {EncodeError} `nothing-to-encode` without annotations; `wrong-source` when one names a slice that the source does not have
 */
export function encodePresentationState(context: ResultContext, state: PresentationState): EncodedObject {
  if (state.annotations.length === 0)
    throw new EncodeError('nothing-to-encode', 'a presentation state needs an annotation')
  return encodeObject(
    context,
    {
      role: 'presentation',
      output: state.output,
      sopClassUID: SOP.grayscaleSoftcopyPresentationState,
      modality: 'PR',
      description: 'presentation state',
    },
    stateAttributes(context, state),
  )
}

function stateAttributes(context: ResultContext, state: PresentationState): NaturalDataSet {
  const { source, algorithm } = context
  const moment = momentOf(context)
  return {
    ...bodyPart(context),
    ContentLabel: layer,
    ContentDescription: algorithm.demonstrator
      ? nameAndVersion(algorithm)
      : `${unverified}: ${algorithm.name}`.slice(0, 64),
    ContentCreatorName: '',
    PresentationCreationDate: moment.date,
    PresentationCreationTime: moment.time,
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: source.seriesInstanceUID,
        ReferencedImageSequence: referencedImages(source.slices),
      },
    ],
    ...grayscaleTransformation(context, state),
    DisplayedAreaSelectionSequence: [displayedArea(context)],
    GraphicLayerSequence: [
      {
        GraphicLayer: layer,
        GraphicLayerOrder: 1,
        GraphicLayerRecommendedDisplayCIELabValue: cielab(state.colour ?? [255, 220, 0]),
        GraphicLayerDescription: caution(algorithm),
      },
    ],
    GraphicAnnotationSequence: annotationItems(context, state),
  }
}

/** Each instance once, with the numbers of its frames where the source has several. */
function referencedImages(slices: readonly SourceSlice[]): NaturalDataSet[] {
  const images = new Map<string, NaturalDataSet & { frames: number[] }>()
  for (const { sopClassUID, sopInstanceUID, frame } of slices) {
    const found = images.get(sopInstanceUID) ?? {
      ReferencedSOPClassUID: sopClassUID,
      ReferencedSOPInstanceUID: sopInstanceUID,
      frames: [],
    }
    images.set(sopInstanceUID, found)
    if (frame !== null) found.frames.push(frame)
  }
  return [...images.values()].map(({ frames, ...image }) =>
    frames.length > 0 ? { ...image, ReferencedFrameNumber: frames } : image,
  )
}

/** Modality LUT, VOI LUT and presentation LUT (PS3.3 C.11.1, C.11.8, C.11.6), as the source's. */
function grayscaleTransformation({ source: { header } }: ResultContext, { window }: PresentationState): NaturalDataSet {
  const attributes: NaturalDataSet = {
    PresentationLUTShape: textOf(header, 'PhotometricInterpretation') === 'MONOCHROME1' ? 'INVERSE' : 'IDENTITY',
  }
  const slope = numberOf(header, 'RescaleSlope')
  const intercept = numberOf(header, 'RescaleIntercept')
  if (slope !== null && intercept !== null)
    Object.assign(attributes, {
      RescaleSlope: decimalString(slope),
      RescaleIntercept: decimalString(intercept),
      RescaleType: textOf(header, 'RescaleType') ?? (textOf(header, 'Modality') === 'CT' ? 'HU' : 'US'),
    })
  const center = window?.center ?? numberOf(header, 'WindowCenter')
  const width = window?.width ?? numberOf(header, 'WindowWidth')
  if (center === null || width === null) return attributes
  const item: NaturalDataSet = { WindowCenter: decimalString(center), WindowWidth: decimalString(width) }
  if (window?.explanation) item.WindowCenterWidthExplanation = window.explanation.slice(0, 64)
  return { ...attributes, SoftcopyVOILUTSequence: [item] }
}

/** The whole image (PS3.3 C.10.4); corners are counted from 1. */
function displayedArea({ source }: ResultContext): NaturalDataSet {
  const area: NaturalDataSet = {
    DisplayedAreaTopLeftHandCorner: [1, 1],
    DisplayedAreaBottomRightHandCorner: [source.columns, source.rows],
    PresentationSizeMode: 'SCALE TO FIT',
  }
  const spacing = source.pixelSpacing ?? copied(source.header, 'ImagerPixelSpacing')
  if (Array.isArray(spacing) && spacing.length === 2)
    area.PresentationPixelSpacing = spacing.map((value) => decimalString(Number(value)))
  else area.PresentationPixelAspectRatio = [1, 1]
  return area
}

/** One item an image: viewers draw what names the image that they show. */
function annotationItems({ source, algorithm }: ResultContext, { annotations }: PresentationState): NaturalDataSet[] {
  const slices = [...new Set(annotations.map(({ slice }) => slice))].sort((a, b) => a - b)
  return slices.map((index) => {
    const slice = source.slices[index]
    if (!slice) throw new EncodeError('wrong-source', `an annotation is on slice ${index}, the source has none`)
    const own = annotations.filter((annotation) => annotation.slice === index)
    const item: NaturalDataSet = {
      ReferencedImageSequence: [imageReference(slice)],
      GraphicLayer: layer,
      TextObjectSequence: [
        label(caution(algorithm)),
        ...own.flatMap((annotation) => caption(annotation, source.columns, source.rows)),
      ],
    }
    const graphics = own.flatMap(({ regions }) => regions.flatMap(graphicItems))
    if (graphics.length > 0) item.GraphicObjectSequence = graphics
    return item
  })
}

/** At the top left of what is displayed, wherever the image is. */
function label(words: string): NaturalDataSet {
  return {
    BoundingBoxAnnotationUnits: 'DISPLAY',
    BoundingBoxTopLeftHandCorner: [0.02, 0.02],
    BoundingBoxBottomRightHandCorner: [0.98, 0.06],
    BoundingBoxTextHorizontalJustification: 'LEFT',
    UnformattedTextValue: words,
  }
}

function caption({ regions, text }: Annotation, columns: number, rows: number): NaturalDataSet[] {
  const [first] = regions
  if (!text || !first) return []
  const { data } = graphicOf(first)
  const right = Math.max(...data.filter((_, i) => i % 2 === 0))
  const top = Math.min(...data.filter((_, i) => i % 2 === 1))
  return [
    {
      AnchorPointAnnotationUnits: 'PIXEL',
      AnchorPoint: [Math.min(columns, right), Math.min(rows, Math.max(0, top))],
      AnchorPointVisibility: 'N',
      UnformattedTextValue: text.slice(0, 1024),
    },
  ]
}

/** Graphic objects (PS3.3 C.10.5); a presentation state has no MULTIPOINT, so that points become one object each. */
function graphicItems(region: Region): NaturalDataSet[] {
  const { type, data } = graphicOf(region)
  if (type !== 'POLYLINE')
    return Array.from({ length: data.length / 2 }, (_, i) => graphicItem('POINT', data.slice(i * 2, i * 2 + 2)))
  return [graphicItem('POLYLINE', data)]
}

function graphicItem(type: string, data: number[]): NaturalDataSet {
  const closed = data.length > 4 && data[0] === data[data.length - 2] && data[1] === data[data.length - 1]
  return {
    GraphicAnnotationUnits: 'PIXEL',
    GraphicDimensions: 2,
    NumberOfGraphicPoints: data.length / 2,
    GraphicData: data,
    GraphicType: type,
    ...(closed ? { GraphicFilled: 'N' } : {}),
  }
}
