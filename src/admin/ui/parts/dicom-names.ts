/** PS3.6 A: SOP classes that the node meets often, without the word Storage. */
const sopClasses: Readonly<Record<string, string>> = {
  '1.2.840.10008.5.1.4.1.1.1': 'Computed Radiography',
  '1.2.840.10008.5.1.4.1.1.1.1': 'Digital X-Ray',
  '1.2.840.10008.5.1.4.1.1.1.2': 'Digital Mammography',
  '1.2.840.10008.5.1.4.1.1.2': 'CT',
  '1.2.840.10008.5.1.4.1.1.2.1': 'Enhanced CT',
  '1.2.840.10008.5.1.4.1.1.3.1': 'Ultrasound Multi-frame',
  '1.2.840.10008.5.1.4.1.1.4': 'MR',
  '1.2.840.10008.5.1.4.1.1.4.1': 'Enhanced MR',
  '1.2.840.10008.5.1.4.1.1.6.1': 'Ultrasound',
  '1.2.840.10008.5.1.4.1.1.7': 'Secondary Capture',
  '1.2.840.10008.5.1.4.1.1.12.1': 'X-Ray Angiography',
  '1.2.840.10008.5.1.4.1.1.12.2': 'X-Ray Radiofluoroscopy',
  '1.2.840.10008.5.1.4.1.1.13.1.3': 'Breast Tomosynthesis',
  '1.2.840.10008.5.1.4.1.1.20': 'Nuclear Medicine',
  '1.2.840.10008.5.1.4.1.1.30': 'Parametric Map',
  '1.2.840.10008.5.1.4.1.1.66.4': 'Segmentation',
  '1.2.840.10008.5.1.4.1.1.88.11': 'Basic Text SR',
  '1.2.840.10008.5.1.4.1.1.88.22': 'Enhanced SR',
  '1.2.840.10008.5.1.4.1.1.88.33': 'Comprehensive SR',
  '1.2.840.10008.5.1.4.1.1.88.34': 'Comprehensive 3D SR',
  '1.2.840.10008.5.1.4.1.1.104.1': 'Encapsulated PDF',
  '1.2.840.10008.5.1.4.1.1.128': 'PET',
  '1.2.840.10008.5.1.4.1.1.481.3': 'RT Structure Set',
}

/** The name of a SOP class; null for a UID that is none of those that are met often. */
export function sopClassName(uid: string): string | null {
  return sopClasses[uid] ?? null
}
