import type { FileMeta } from '../../src/dicom/part10.ts'

/** Files that are refused, with the sentence that is right for each, and why it is. */
export const refused: Record<string, { reason: RegExp; because: string }> = {
  ...each(
    /Pixel Data announces 3221225472 bytes, 98080 arrived/,
    'cut off on purpose: three gigabytes are announced, 98 kilobytes are there',
    ['syntaxes/dcm4che/3gb-bulk-data-truncated'],
  ),
  ...each(/Pixel Data announces 8192 bytes, 8130 arrived/, 'cut off on purpose', [
    'syntaxes/pydicom/test_files/MR_truncated.dcm',
  ]),
  ...each(/Beam Sequence announces 976 bytes/, 'cut off on purpose', [
    'syntaxes/pydicom/test_files/rtplan_truncated.dcm',
  ]),
  ...each(
    /Pixel Data ends with the file, without its sequence delimitation/,
    'nobody can tell whether the last fragment is the last one; dcmtk does not read them either',
    ['syntaxes/pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm', 'modalities/fo-dicom/GH1339.dcm'],
  ),
  ...each(
    /StudyInstanceUID is missing in the data set/,
    'test images that belong to no study: they could not be found again',
    [
      'syntaxes/pydicom-data/HTJ2KLossless_08_RGB.dcm',
      'syntaxes/pydicom-data/HTJ2K_08_RGB.dcm',
      'syntaxes/pydicom-data/JLSL_08_07_0_1F.dcm',
      'syntaxes/pydicom-data/JLSL_16_15_1_1F.dcm',
      'syntaxes/pydicom/test_files/JPEGLSNearLossless_08.dcm',
      'syntaxes/pydicom/test_files/JPEGLSNearLossless_16.dcm',
      'syntaxes/pydicom/test_files/SC_rgb_jls_lossy_line.dcm',
      'syntaxes/pydicom/test_files/SC_rgb_jls_lossy_sample.dcm',
    ],
  ),
  ...each(
    /StudyInstanceUID is missing|abstract syntax not supported/,
    'palettes and hanging protocols belong to no patient (PS3.4 GG): they are no instances of a study',
    [
      ...['fall', 'hotiron', 'hotmetalblue', 'pet', 'pet20step', 'spring', 'summer', 'winter'].map(
        (name) => `syntaxes/pydicom/palettes/${name}.dcm`,
      ),
      'objects/pr-hp-weasis/NeurosurgeryPlan.dcm',
    ],
  ),
  ...each(/(SOPClassUID|SOPInstanceUID) is missing/, 'a few elements for a parser, which name no instance', [
    'syntaxes/pydicom/charset_files/chrSQEncoding.dcm',
    'syntaxes/pydicom/charset_files/chrSQEncoding1.dcm',
    'syntaxes/pydicom/test_files/UN_sequence.dcm',
    'syntaxes/pydicom/test_files/no_meta_group_length.dcm',
    'syntaxes/pydicom/test_files/priv_SQ.dcm',
  ]),
  ...each(/names no SOP class or instance/, 'a few elements for a parser, which name no instance: not sent', [
    'syntaxes/pydicom/test_files/empty_charset_LEI.dcm',
    'syntaxes/pydicom/test_files/nested_priv_SQ.dcm',
  ]),
  ...each(/names no transfer syntax/, 'nobody can tell how the data set is written down: not sent', [
    'syntaxes/dcm4che/no_preamble_dicm_in_data',
    'syntaxes/pydicom/test_files/meta_missing_tsyntax.dcm',
  ]),
  ...each(/SOPInstanceUID is no UID/, 'hexadecimal digests instead of UIDs', [
    'syntaxes/pydicom-data/bad_sequence.dcm',
  ]),
  ...each(/SOPInstanceUID is no UID/, 'a UID of 69 characters, where 64 are the most (PS3.5 9.1)', [
    'objects/pr-hp-weasis/jpeg2000-multiframe-multifragments.dcm',
  ]),
  ...each(/abstract syntax not supported/, 'a directory of a medium is no instance of a storage class (PS3.4 B.5)', [
    ...['', '-bigEnd', '-empty.dcm', '-implicit', '-nooffset', '-nopatient', '-reordered'].map(
      (suffix) => `syntaxes/pydicom/test_files/dicomdirtests/DICOMDIR${suffix}`,
    ),
    'syntaxes/pydicom/test_files/dicomdirtests/TINY_ALPHA/DICOMDIR',
  ]),
}

function each(reason: RegExp, because: string, names: string[]): Record<string, { reason: RegExp; because: string }> {
  return Object.fromEntries(names.map((name) => [name, { reason, because }]))
}

const implicit = '1.2.840.10008.1.2'
const explicit = '1.2.840.10008.1.2.1'
const bigEndian = '1.2.840.10008.1.2.2'

function bare(sopClass: string, instance: string, transferSyntaxUID: string): FileMeta {
  return {
    mediaStorageSOPClassUID: `1.2.840.10008.5.1.4.1.1.${sopClass}`,
    mediaStorageSOPInstanceUID: instance,
    transferSyntaxUID,
  }
}

/**
 * Data sets without preamble and meta information, which a sender of files cannot send: a few bytes are put before them. Four more
 * (JLS*_RGB_*) name neither instance nor study.
 */
export const bareDataSets: Record<string, FileMeta> = {
  'syntaxes/pydicom/test_files/rtstruct.dcm': bare('481.3', '1.2.826.0.1.3680043.8.498.2010020400001', implicit),
  'syntaxes/pydicom/test_files/ExplVR_BigEndNoMeta.dcm': bare('481.8', '1.2.333.4444.5.6.7.8', bigEndian),
  'syntaxes/pydicom/test_files/ExplVR_LitEndNoMeta.dcm': bare('481.8', '1.2.333.4444.5.6.7.8', explicit),
  'modalities/fo-dicom/CR-MONO1-10-chest': bare('1', '1.2.392.200036.9125.0.19950720112207', implicit),
}
