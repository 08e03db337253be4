/** The part of dcmjs that Hilum uses; the package ships no types. */
declare module 'dcmjs' {
  interface DictionaryEntry {
    /** `(gggg,eeee)`; repeating groups stand with their first group. */
    tag: string
    /** A VR, or one of dcmjs's own: `xs` (US or SS), `ox` (OB or OW), `lt` (US or OW), `up` (UL), `na` (items). */
    vr: string
    vm: string
    /** The keyword; retired ones carry the prefix `RETIRED_`. */
    name: string
  }
  const dcmjs: {
    data: {
      DicomMetaDictionary: { nameMap: Readonly<Record<string, DictionaryEntry>> }
    }
  }
  export default dcmjs
}
