import { TS, transferSyntax } from '../dicom/transfer-syntax.ts'
import { type AcceptedType, isWithin } from '../dicomweb/media-type.ts'
import { RequestError } from '../dicomweb/request-error.ts'

/** Media types of single compressed frames (PS3.18 tables 8.7.3-2 and -3), the registered one first, then names that clients use. */
export const frameMediaTypes: Readonly<Record<string, readonly [string, ...string[]]>> = {
  [TS.jpegBaseline]: ['image/jpeg'],
  [TS.jpegExtended]: ['image/jpeg'],
  [TS.jpegLosslessProcess14]: ['image/jpeg'],
  [TS.jpegLossless]: ['image/jpeg'],
  [TS.rle]: ['image/dicom-rle', 'image/x-dicom-rle'],
  [TS.jpegLSLossless]: ['image/jls', 'image/x-jls'],
  [TS.jpegLSNearLossless]: ['image/jls', 'image/x-jls'],
  [TS.jpeg2000Lossless]: ['image/jp2'],
  [TS.jpeg2000]: ['image/jp2'],
  [TS.jpeg2000MultiComponentLossless]: ['image/jpx'],
  [TS.jpeg2000MultiComponent]: ['image/jpx'],
  [TS.htj2kLossless]: ['image/jphc', 'image/jhc', 'image/jph'],
  [TS.htj2kLosslessRPCL]: ['image/jphc', 'image/jhc', 'image/jph'],
  [TS.htj2k]: ['image/jphc', 'image/jhc', 'image/jph'],
  [TS.jpegXLLossless]: ['image/jxl'],
  [TS.jpegXLJPEGRecompression]: ['image/jxl'],
  [TS.jpegXL]: ['image/jxl'],
  [TS.mpeg2MainProfile]: ['video/mpeg', 'video/mpeg2'],
  [TS.mpeg2HighLevel]: ['video/mpeg', 'video/mpeg2'],
  [TS.mpeg4HighProfile41]: ['video/mp4'],
  [TS.mpeg4BDCompatible41]: ['video/mp4'],
  [TS.mpeg4HighProfile42For2D]: ['video/mp4'],
  [TS.mpeg4HighProfile42For3D]: ['video/mp4'],
  [TS.mpeg4StereoHighProfile42]: ['video/mp4'],
  [TS.hevcMainProfile51]: ['video/mp4', 'video/H265'],
  [TS.hevcMain10Profile51]: ['video/mp4', 'video/H265'],
}

/** How frames will be given. */
export interface FrameForm {
  multipart: boolean
  mediaType: string
  /** UID of the transfer syntax that the bytes have. */
  transferSyntaxUID: string
}

/**
 * Chooses the form of frames or of pixel data. Frames are never transcoded: compressed ones are given as they are stored, native ones
 * as explicit VR little endian. A client that names no transfer syntax gets that too, and reads it in the part's Content-Type.
 * @param single whether there is one frame only, which may travel without multipart
 * @throws RequestError 'not-acceptable'
 */
export function chooseFrameForm(accepted: AcceptedType[], storedTransferSyntaxUID: string, single: boolean): FrameForm {
  const native = !transferSyntax(storedTransferSyntaxUID).encapsulated
  const transferSyntaxUID = native ? TS.explicitVRLittleEndian : storedTransferSyntaxUID
  const codec = native ? [] : (frameMediaTypes[storedTransferSyntaxUID] ?? [])
  for (const wanted of accepted) {
    if (wanted.multipart === false && !single) continue
    if (![null, '*', transferSyntaxUID, ''].includes(wanted.transferSyntax)) continue
    const mediaType = isWithin('application/octet-stream', wanted.type)
      ? 'application/octet-stream'
      : codec.find((type) => isWithin(type.toLowerCase(), wanted.type))
    if (mediaType !== undefined) return { multipart: wanted.multipart !== false, mediaType, transferSyntaxUID }
  }
  const offered = ['application/octet-stream', ...codec].map((type) => `multipart/related; type="${type}"`).join(' or ')
  throw new RequestError(
    'not-acceptable',
    `The frames are offered as ${offered} with transfer-syntax=${transferSyntaxUID}; they are not transcoded.`,
    { detail: { transferSyntaxUID } },
  )
}

/** The Content-Type of one frame's bytes. */
export function frameContentType({ mediaType, transferSyntaxUID }: FrameForm): string {
  return `${mediaType}; transfer-syntax=${transferSyntaxUID}`
}
