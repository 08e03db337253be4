/** One item of a sequence, by keyword. A class of its own, so that CEL knows its type. */
export class ItemFacts {
  readonly [keyword: string]: unknown
}

/** One series: the elements of its first instance by keyword, and `instances`, how many it has. */
export class SeriesFacts {
  readonly [keyword: string]: unknown
}

/** One study: its patient and study level elements by keyword, `Modalities`, `series` (a list) and `instances`. */
export class StudyFacts {
  readonly [keyword: string]: unknown
}

/** What one evaluation may look at. */
export interface Facts {
  study: StudyFacts
  series?: SeriesFacts
  /** The day of the decision, as DA writes it (PS3.5 6.2); left out where it is not known. */
  today?: string
}
