import type { Code, PlanClass } from './plan.ts'
import { slug } from './question.ts'

const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })

/** Categories of CID 7150. */
export const category = {
  structure: sct('91723000', 'Anatomical Structure'),
  abnormality: sct('49755003', 'Morphologically Abnormal Structure'),
  tissue: sct('85756007', 'Tissue'),
}

/** CID 244. */
const sides: Readonly<Record<string, Code>> = { left: sct('7771000', 'Left'), right: sct('24028007', 'Right') }

/** Structures of which there is a left and a right one. */
const paired: readonly Code[] = [
  sct('64033007', 'Kidney'),
  sct('39607008', 'Lung'),
  sct('23451007', 'Adrenal gland'),
  sct('71341001', 'Femur'),
  sct('85050009', 'Humerus'),
  sct('29836001', 'Hip'),
  sct('51299004', 'Clavicle'),
  sct('79601000', 'Scapula'),
  sct('113197003', 'Rib'),
  sct('76752008', 'Breast'),
  sct('15497006', 'Ovary'),
  sct('81745001', 'Eye'),
  sct('45289007', 'Parotid gland'),
  sct('54019009', 'Submandibular gland'),
  sct('5366008', 'Hippocampus'),
  sct('42695009', 'Thalamus'),
]

const single: readonly Code[] = [
  sct('10200004', 'Liver'),
  sct('78961009', 'Spleen'),
  sct('15776009', 'Pancreas'),
  sct('80891009', 'Heart'),
  sct('82471001', 'Left atrium'),
  sct('73829009', 'Right atrium'),
  sct('87878005', 'Left ventricle'),
  sct('53085002', 'Right ventricle'),
  sct('15825003', 'Aorta'),
  sct('64131007', 'Inferior vena cava'),
  sct('48345005', 'Superior vena cava'),
  sct('32764006', 'Portal vein'),
  sct('81040000', 'Pulmonary artery'),
  sct('44567001', 'Trachea'),
  sct('32849002', 'Esophagus'),
  sct('69695003', 'Stomach'),
  sct('38848004', 'Duodenum'),
  sct('30315005', 'Small intestine'),
  sct('71854001', 'Colon'),
  sct('28231008', 'Gallbladder'),
  sct('89837001', 'Bladder'),
  sct('41216001', 'Prostate'),
  sct('35039007', 'Uterus'),
  sct('69748006', 'Thyroid'),
  sct('12738006', 'Brain'),
  sct('389080008', 'White Matter'),
  sct('389081007', 'Gray Matter'),
  sct('65216001', 'Cerebrospinal Fluid'),
  sct('113305005', 'Cerebellum'),
  sct('119238007', 'Brain Stem'),
  sct('2748008', 'Spinal cord'),
  sct('89546000', 'Skull'),
  sct('56873002', 'Sternum'),
  sct('51282000', 'Vertebra'),
]

const tissues: readonly Code[] = [
  sct('3138006', 'Bone'),
  sct('91727004', 'Muscle'),
  sct('55603005', 'Fat'),
  sct('87784001', 'Soft tissue'),
  sct('39937001', 'Skin'),
  sct('59820001', 'Blood Vessel'),
  sct('59441001', 'Lymph Node'),
]

const abnormalities: readonly Code[] = [
  sct('52988006', 'Lesion'),
  sct('27925004', 'Nodule'),
  sct('4147007', 'Mass'),
  sct('108369006', 'Neoplasm'),
  sct('367643001', 'Cyst'),
  sct('79654002', 'Edema'),
  sct('6574001', 'Necrosis'),
  sct('50960005', 'Hemorrhage'),
  sct('60046008', 'Pleural effusion'),
  sct('36118008', 'Pneumothorax'),
]

/** Other words for the same. */
const aliases: Readonly<Record<string, string>> = {
  tumor: 'neoplasm',
  tumour: 'neoplasm',
  oedema: 'edema',
  haemorrhage: 'hemorrhage',
  oesophagus: 'esophagus',
  'urinary-bladder': 'bladder',
  'small-bowel': 'small-intestine',
  'grey-matter': 'gray-matter',
  csf: 'cerebrospinal-fluid',
  brainstem: 'brain-stem',
  'thyroid-gland': 'thyroid',
  'gall-bladder': 'gallbladder',
  vessel: 'blood-vessel',
}

type Known = Pick<PlanClass, 'category' | 'type' | 'modifiers'>

const known = new Map<string, Known>()
for (const [group, codes] of [
  [category.structure, [...paired, ...single]],
  [category.tissue, tissues],
  [category.abnormality, abnormalities],
] as const)
  for (const type of codes) known.set(slug(type.meaning), { category: group, type })

/**
 * The codes of what models most often find, by the names that they have in training: `Liver`, `kidney_right`, `left lung`, `tumour`. Codes are those
 * of SNOMED CT in PS3.16: CID 7150, 7151 and 244; findings without a place in those come from CID 645 and 6105.
 * @returns null for other names
 */
export function knownCodes(name: string): Known | null {
  const word = slug(name)
  const direct = find(word)
  if (direct) return direct
  const parts = word.split('-')
  const side = parts.find((part) => part in sides)
  const found = side === undefined ? null : find(parts.filter((part) => part !== side).join('-'))
  if (!found || side === undefined || !paired.includes(found.type)) return null
  return { ...found, modifiers: [sides[side] as Code] }
}

function find(word: string): Known | null {
  const singular = word.replace(/s$/, '')
  return known.get(aliases[word] ?? word) ?? known.get(aliases[singular] ?? singular) ?? null
}
