/** How a data set is written down (PS3.5 section 10, annex A). */
export interface TransferSyntax {
  uid: string
  name: string
  explicitVR: boolean
  littleEndian: boolean
  /** Pixel Data is a sequence of fragments (PS3.5 A.4). */
  encapsulated: boolean
  /** The whole data set is deflated (PS3.5 A.5). */
  deflated: boolean
  known: boolean
}

/** Transfer syntax UIDs by name (PS3.6 table A-1), retired ones included. */
export const TS = {
  implicitVRLittleEndian: '1.2.840.10008.1.2',
  explicitVRLittleEndian: '1.2.840.10008.1.2.1',
  encapsulatedUncompressed: '1.2.840.10008.1.2.1.98',
  deflated: '1.2.840.10008.1.2.1.99',
  explicitVRBigEndian: '1.2.840.10008.1.2.2',
  papyrus: '1.2.840.10008.1.20',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  jpegExtended: '1.2.840.10008.1.2.4.51',
  jpegProcess3And5: '1.2.840.10008.1.2.4.52',
  jpegSpectral6And8: '1.2.840.10008.1.2.4.53',
  jpegSpectral7And9: '1.2.840.10008.1.2.4.54',
  jpegProgressive10And12: '1.2.840.10008.1.2.4.55',
  jpegProgressive11And13: '1.2.840.10008.1.2.4.56',
  jpegLosslessProcess14: '1.2.840.10008.1.2.4.57',
  jpegLosslessProcess15: '1.2.840.10008.1.2.4.58',
  jpegHierarchical16And18: '1.2.840.10008.1.2.4.59',
  jpegHierarchical17And19: '1.2.840.10008.1.2.4.60',
  jpegHierarchical20And22: '1.2.840.10008.1.2.4.61',
  jpegHierarchical21And23: '1.2.840.10008.1.2.4.62',
  jpegHierarchical24And26: '1.2.840.10008.1.2.4.63',
  jpegHierarchical25And27: '1.2.840.10008.1.2.4.64',
  jpegHierarchical28: '1.2.840.10008.1.2.4.65',
  jpegHierarchical29: '1.2.840.10008.1.2.4.66',
  jpegLossless: '1.2.840.10008.1.2.4.70',
  jpegLSLossless: '1.2.840.10008.1.2.4.80',
  jpegLSNearLossless: '1.2.840.10008.1.2.4.81',
  jpeg2000Lossless: '1.2.840.10008.1.2.4.90',
  jpeg2000: '1.2.840.10008.1.2.4.91',
  jpeg2000MultiComponentLossless: '1.2.840.10008.1.2.4.92',
  jpeg2000MultiComponent: '1.2.840.10008.1.2.4.93',
  jpipReferenced: '1.2.840.10008.1.2.4.94',
  jpipReferencedDeflate: '1.2.840.10008.1.2.4.95',
  mpeg2MainProfile: '1.2.840.10008.1.2.4.100',
  mpeg2MainProfileFragmentable: '1.2.840.10008.1.2.4.100.1',
  mpeg2HighLevel: '1.2.840.10008.1.2.4.101',
  mpeg2HighLevelFragmentable: '1.2.840.10008.1.2.4.101.1',
  mpeg4HighProfile41: '1.2.840.10008.1.2.4.102',
  mpeg4HighProfile41Fragmentable: '1.2.840.10008.1.2.4.102.1',
  mpeg4BDCompatible41: '1.2.840.10008.1.2.4.103',
  mpeg4BDCompatible41Fragmentable: '1.2.840.10008.1.2.4.103.1',
  mpeg4HighProfile42For2D: '1.2.840.10008.1.2.4.104',
  mpeg4HighProfile42For2DFragmentable: '1.2.840.10008.1.2.4.104.1',
  mpeg4HighProfile42For3D: '1.2.840.10008.1.2.4.105',
  mpeg4HighProfile42For3DFragmentable: '1.2.840.10008.1.2.4.105.1',
  mpeg4StereoHighProfile42: '1.2.840.10008.1.2.4.106',
  mpeg4StereoHighProfile42Fragmentable: '1.2.840.10008.1.2.4.106.1',
  hevcMainProfile51: '1.2.840.10008.1.2.4.107',
  hevcMain10Profile51: '1.2.840.10008.1.2.4.108',
  jpegXLLossless: '1.2.840.10008.1.2.4.110',
  jpegXLJPEGRecompression: '1.2.840.10008.1.2.4.111',
  jpegXL: '1.2.840.10008.1.2.4.112',
  htj2kLossless: '1.2.840.10008.1.2.4.201',
  htj2kLosslessRPCL: '1.2.840.10008.1.2.4.202',
  htj2k: '1.2.840.10008.1.2.4.203',
  jpipHTJ2KReferenced: '1.2.840.10008.1.2.4.204',
  jpipHTJ2KReferencedDeflate: '1.2.840.10008.1.2.4.205',
  rle: '1.2.840.10008.1.2.5',
  rfc2557: '1.2.840.10008.1.2.6.1',
  xmlEncoding: '1.2.840.10008.1.2.6.2',
  smpteProgressiveVideo: '1.2.840.10008.1.2.7.1',
  smpteInterlacedVideo: '1.2.840.10008.1.2.7.2',
  smptePCMAudio: '1.2.840.10008.1.2.7.3',
  deflatedImageFrame: '1.2.840.10008.1.2.8.1',
  geImplicitBigEndianPixels: '1.2.840.113619.5.2',
} as const

/** Names of PS3.6 table A-1, in the order of `TS`. */
const names: Record<keyof typeof TS, string> = {
  implicitVRLittleEndian: 'Implicit VR Little Endian',
  explicitVRLittleEndian: 'Explicit VR Little Endian',
  encapsulatedUncompressed: 'Encapsulated Uncompressed Explicit VR Little Endian',
  deflated: 'Deflated Explicit VR Little Endian',
  explicitVRBigEndian: 'Explicit VR Big Endian (retired)',
  papyrus: 'Papyrus 3 Implicit VR Little Endian (retired)',
  jpegBaseline: 'JPEG Baseline (Process 1)',
  jpegExtended: 'JPEG Extended (Process 2 and 4)',
  jpegProcess3And5: 'JPEG Extended (Process 3 and 5) (retired)',
  jpegSpectral6And8: 'JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8) (retired)',
  jpegSpectral7And9: 'JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9) (retired)',
  jpegProgressive10And12: 'JPEG Full Progression, Non-Hierarchical (Process 10 and 12) (retired)',
  jpegProgressive11And13: 'JPEG Full Progression, Non-Hierarchical (Process 11 and 13) (retired)',
  jpegLosslessProcess14: 'JPEG Lossless, Non-Hierarchical (Process 14)',
  jpegLosslessProcess15: 'JPEG Lossless, Non-Hierarchical (Process 15) (retired)',
  jpegHierarchical16And18: 'JPEG Extended, Hierarchical (Process 16 and 18) (retired)',
  jpegHierarchical17And19: 'JPEG Extended, Hierarchical (Process 17 and 19) (retired)',
  jpegHierarchical20And22: 'JPEG Spectral Selection, Hierarchical (Process 20 and 22) (retired)',
  jpegHierarchical21And23: 'JPEG Spectral Selection, Hierarchical (Process 21 and 23) (retired)',
  jpegHierarchical24And26: 'JPEG Full Progression, Hierarchical (Process 24 and 26) (retired)',
  jpegHierarchical25And27: 'JPEG Full Progression, Hierarchical (Process 25 and 27) (retired)',
  jpegHierarchical28: 'JPEG Lossless, Hierarchical (Process 28) (retired)',
  jpegHierarchical29: 'JPEG Lossless, Hierarchical (Process 29) (retired)',
  jpegLossless: 'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 Selection Value 1)',
  jpegLSLossless: 'JPEG-LS Lossless Image Compression',
  jpegLSNearLossless: 'JPEG-LS Lossy (Near-Lossless) Image Compression',
  jpeg2000Lossless: 'JPEG 2000 Image Compression (Lossless Only)',
  jpeg2000: 'JPEG 2000 Image Compression',
  jpeg2000MultiComponentLossless: 'JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)',
  jpeg2000MultiComponent: 'JPEG 2000 Part 2 Multi-component Image Compression',
  jpipReferenced: 'JPIP Referenced',
  jpipReferencedDeflate: 'JPIP Referenced Deflate',
  mpeg2MainProfile: 'MPEG2 Main Profile / Main Level',
  mpeg2MainProfileFragmentable: 'Fragmentable MPEG2 Main Profile / Main Level',
  mpeg2HighLevel: 'MPEG2 Main Profile / High Level',
  mpeg2HighLevelFragmentable: 'Fragmentable MPEG2 Main Profile / High Level',
  mpeg4HighProfile41: 'MPEG-4 AVC/H.264 High Profile / Level 4.1',
  mpeg4HighProfile41Fragmentable: 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1',
  mpeg4BDCompatible41: 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1',
  mpeg4BDCompatible41Fragmentable: 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1',
  mpeg4HighProfile42For2D: 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video',
  mpeg4HighProfile42For2DFragmentable: 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video',
  mpeg4HighProfile42For3D: 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video',
  mpeg4HighProfile42For3DFragmentable: 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video',
  mpeg4StereoHighProfile42: 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2',
  mpeg4StereoHighProfile42Fragmentable: 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2',
  hevcMainProfile51: 'HEVC/H.265 Main Profile / Level 5.1',
  hevcMain10Profile51: 'HEVC/H.265 Main 10 Profile / Level 5.1',
  jpegXLLossless: 'JPEG XL Lossless',
  jpegXLJPEGRecompression: 'JPEG XL JPEG Recompression',
  jpegXL: 'JPEG XL',
  htj2kLossless: 'High-Throughput JPEG 2000 Image Compression (Lossless Only)',
  htj2kLosslessRPCL: 'High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)',
  htj2k: 'High-Throughput JPEG 2000 Image Compression',
  jpipHTJ2KReferenced: 'JPIP HTJ2K Referenced',
  jpipHTJ2KReferencedDeflate: 'JPIP HTJ2K Referenced Deflate',
  rle: 'RLE Lossless',
  rfc2557: 'RFC 2557 MIME encapsulation (retired)',
  xmlEncoding: 'XML Encoding (retired)',
  smpteProgressiveVideo: 'SMPTE ST 2110-20 Uncompressed Progressive Active Video',
  smpteInterlacedVideo: 'SMPTE ST 2110-20 Uncompressed Interlaced Active Video',
  smptePCMAudio: 'SMPTE ST 2110-30 PCM Digital Audio',
  deflatedImageFrame: 'Deflated Image Frame Compression',
  geImplicitBigEndianPixels: 'GE Private Implicit VR with Big Endian Pixel Data',
}

const native: ReadonlySet<string> = new Set([
  TS.implicitVRLittleEndian,
  TS.explicitVRLittleEndian,
  TS.explicitVRBigEndian,
  TS.deflated,
  TS.papyrus,
  TS.jpipReferenced,
  TS.jpipReferencedDeflate,
  TS.jpipHTJ2KReferenced,
  TS.jpipHTJ2KReferencedDeflate,
  TS.rfc2557,
  TS.xmlEncoding,
  TS.smpteProgressiveVideo,
  TS.smpteInterlacedVideo,
  TS.smptePCMAudio,
  TS.geImplicitBigEndianPixels,
])
const implicit: ReadonlySet<string> = new Set([TS.implicitVRLittleEndian, TS.papyrus, TS.geImplicitBigEndianPixels])
const deflated: ReadonlySet<string> = new Set([TS.deflated, TS.jpipReferencedDeflate, TS.jpipHTJ2KReferencedDeflate])

const all = new Map<string, TransferSyntax>(
  (Object.keys(TS) as (keyof typeof TS)[]).map((key) => [
    TS[key],
    {
      uid: TS[key],
      name: names[key],
      explicitVR: !implicit.has(TS[key]),
      littleEndian: TS[key] !== TS.explicitVRBigEndian,
      encapsulated: !native.has(TS[key]),
      deflated: deflated.has(TS[key]),
      known: true,
    },
  ]),
)

/**
 * The properties of a transfer syntax. An unknown one is taken for explicit VR little endian and encapsulated, as every one that was
 * added since 1995 is (PS3.5 A.4), and has `known: false`.
 */
export function transferSyntax(uid: string): TransferSyntax {
  return (
    all.get(uid) ?? {
      uid,
      name: `unknown (${uid})`,
      explicitVR: true,
      littleEndian: true,
      encapsulated: true,
      deflated: false,
      known: false,
    }
  )
}

/** Every transfer syntax that is known here. */
export function transferSyntaxes(): Iterable<TransferSyntax> {
  return all.values()
}
