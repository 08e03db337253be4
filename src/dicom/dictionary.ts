import dcmjs from 'dcmjs'

interface Entry {
  tag: string
  keyword: string
  vr: string
}

/**
 * The VR that is assumed where the data dictionary allows several (PS3.5 A.1, PS3.6 6). A reader that knows Pixel Representation asks
 * `isSignDependent` as well.
 */
const ambiguous: Record<string, string> = { xs: 'US', lt: 'OW', ox: 'OW', up: 'UL', na: 'UN' }

/** Where dcmjs's dictionary differs from PS3.6: tag, keyword, VR. */
const corrections: readonly [tag: string, keyword: string, vr: string][] = [
  ['00221642', 'NumberOfBscansPerFrame', 'UL'],
  ['0040A803', 'NumberOfTableColumns', 'UL'],
  ['00660040', 'LongPrimitivePointIndexList', 'OL'],
  ['00660041', 'LongTrianglePointIndexList', 'OL'],
  ['00660042', 'LongEdgePointIndexList', 'OL'],
  ['00660043', 'LongVertexPointIndexList', 'OL'],
  ['006862F0', 'ViewOrientationModifierCodeSequence', 'SQ'],
  ['0070150C', 'NumberOfVolumetricCurvePoints', 'UL'],
  ['00760034', 'ComponentTypeCodeSequence', 'SQ'],
  ['40101029', 'ThreatDetectionAlgorithmAndVersion', 'LO'],
]

interface Dictionary {
  byKeyword: Map<string, Entry>
  byTag: Map<string, Entry>
  signDependent: Set<string>
}

let loaded: Dictionary | undefined

/** dcmjs keeps the dictionary packed behind a proxy; it is unpacked once, at the first question. */
function dictionary(): Dictionary {
  loaded ??= load()
  return loaded
}

function load(): Dictionary {
  const byKeyword = new Map<string, Entry>()
  const byTag = new Map<string, Entry>()
  const signDependent = new Set<string>()
  for (const { tag: punctuated, vr, name } of Object.values(dcmjs.data.DicomMetaDictionary.nameMap)) {
    const tag = (punctuated.slice(1, 5) + punctuated.slice(6, 10)).toUpperCase()
    if (!/^[0-9A-F]{8}$/.test(tag) || name === 'undefined') continue
    const retired = name.startsWith('RETIRED_')
    const keyword = retired ? name.slice('RETIRED_'.length) : name
    if (vr === 'xs') signDependent.add(tag)
    const entry = { tag, keyword, vr: ambiguous[vr] ?? vr }
    if (!byTag.has(tag) || !retired) byTag.set(tag, entry)
    if (!byKeyword.has(keyword) || !retired) byKeyword.set(keyword, entry)
  }
  for (const [tag, keyword, vr] of corrections) {
    const entry = { tag, keyword, vr }
    byKeyword.delete(byTag.get(tag)?.keyword ?? '')
    byTag.set(tag, entry)
    byKeyword.set(keyword, entry)
  }
  return { byKeyword, byTag, signDependent }
}

/** Repeating groups (PS3.5 7.6) stand in the dictionary under their first group only: 5002… is looked up as 5000…. */
function entryOf(tag: string): Entry | undefined {
  const { byTag } = dictionary()
  const found = byTag.get(tag)
  if (found) return found
  return /^(50|60)[0-9A-F][02468ACE]/.test(tag) ? byTag.get(`${tag.slice(0, 2)}00${tag.slice(4)}`) : undefined
}

/** The tag of a keyword, as eight upper-case hex digits: `Modality` gives `00080060`. */
export function tagOf(keyword: string): string | undefined {
  return dictionary().byKeyword.get(keyword)?.tag
}

/** The keyword of a tag (eight upper-case hex digits), or undefined for private and unknown tags. */
export function keywordOf(tag: string): string | undefined {
  return entryOf(tag)?.keyword
}

/**
 * The VR of a tag (eight upper-case hex digits): `UN` when unknown, `LO` for private creators, `UL` for group lengths; `US` where the
 * standard allows US or SS, `OW` where it allows OB or OW.
 */
export function vrOf(tag: string): string {
  const entry = entryOf(tag)
  if (entry) return entry.vr
  const element = tag.slice(4)
  if (element === '0000') return 'UL'
  // PS3.5 7.8.1: (gggg,0010-00FF) with odd gggg
  if (/[13579BDF]/.test(tag.charAt(3)) && element >= '0010' && element <= '00FF') return 'LO'
  return 'UN'
}

/** True where the dictionary says "US or SS": Pixel Representation decides (PS3.5 A.1). */
export function isSignDependent(tag: string): boolean {
  return dictionary().signDependent.has(tag)
}

/** All keywords of the standard's data dictionary, retired ones included. */
export function keywords(): Iterable<string> {
  return dictionary().byKeyword.keys()
}

/** All tags of the standard's data dictionary with their VRs, for readers that keep tables of their own. */
export function* standardElements(): Iterable<{ tag: string; vr: string; keyword: string }> {
  for (const { tag, vr, keyword } of dictionary().byTag.values()) yield { tag, vr, keyword }
}
