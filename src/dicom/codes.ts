/** A coded concept: value, coding scheme designator and meaning (PS3.3 8.8). */
export interface Code {
  value: string
  scheme: string
  meaning: string
}

/** The item of a code sequence, naturalised, with the three attributes that every code needs (PS3.3 table 8.8-1). */
export function codeItem(code: Code): { CodeValue: string; CodingSchemeDesignator: string; CodeMeaning: string } {
  return { CodeValue: code.value, CodingSchemeDesignator: code.scheme, CodeMeaning: code.meaning }
}
