/** Who says something about the completeness of studies. */
export type HintKind = 'mpps' | 'availability' | 'order'

/**
 * What is said: a step is `in-progress`, then `completed` or `discontinued`; a notification makes instances `available`; an order is
 * `completed`, `cancelled`, or only `noted`.
 */
export type HintState = 'in-progress' | 'completed' | 'discontinued' | 'available' | 'noted' | 'cancelled'

/** SOP Instance UIDs by Series Instance UID. */
export type ListedInstances = Record<string, string[]>

/** A statement about one or more studies, as it came in. */
export interface Statement {
  kind: HintKind
  /** SOP Instance UID of the step; Study Instance UID of the notification; of an order that, or its accession number. */
  reference: string
  state: HintState
  /** Who said it, as in CT1@10.0.0.5. */
  sender: string
  /** The studies that it is about, each by what is known of it. */
  subjects: readonly HintSubject[]
  /** The instances that it lists; null: what was listed before stays. */
  instances: ListedInstances | null
  /** True: they are added to those that were listed before; else they stand instead of them. */
  addsInstances?: boolean
  /** One sentence for the timeline, without patient data; null: nothing to tell. */
  sentence: string | null
}

/** A study by its UID; by its accession number where that is all that is known. */
export type HintSubject = { studyInstanceUID: string } | { accessionNumber: string }

/** A hint as completion looks at it, without its list. */
export interface StudyHint {
  id: number
  kind: HintKind
  reference: string
  state: HintState
  /** How many instances it lists. */
  listed: number
  updatedAt: string
  /** How many studies it is about. */
  subjects: number
}

/** How many instances a list names, each once. */
export function countListed(instances: ListedInstances): number {
  return new Set(Object.values(instances).flat()).size
}
