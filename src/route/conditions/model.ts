/**
 * What the visual builder shows of a condition. Pure, and without imports that only Node has: the page's builder uses it too.
 */

/** Text for texts, dates and UIDs; numbers for numbers. */
export type ConditionValue = string | number

/** What a condition does with its field. */
export type Operator =
  | 'equals'
  | 'not-equals'
  | 'one-of'
  | 'not-one-of'
  | 'contains'
  | 'starts-with'
  | 'ends-with'
  | 'matches'
  | 'includes'
  | 'excludes'
  | 'greater'
  | 'at-least'
  | 'less'
  | 'at-most'
  | 'between'
  | 'exists'
  | 'is-empty'
  | 'within-days'
  | 'older-than-days'
  | 'years-at-least'
  | 'years-below'

/** One line of the builder. */
export interface FieldCondition {
  kind: 'field'
  /** As CEL writes it: `series.Modality`, `study.Modalities`, `series.ImageType[2]`. */
  field: string
  operator: Operator
  /** One; two for `between`; any number for `one-of` and `not-one-of`; none for `exists` and `is-empty`. */
  values: ConditionValue[]
}

/** A condition on the series of the study: that some, every or no series satisfies a group whose fields are `series.…`. */
export interface SeriesCondition {
  kind: 'series'
  quantifier: 'some' | 'every' | 'no'
  where: ConditionGroup
}

/** `all`: every member holds (also of none); `any`: at least one does; `none`: none does. */
export interface ConditionGroup {
  kind: 'group'
  match: 'all' | 'any' | 'none'
  members: Condition[]
}

export type Condition = FieldCondition | SeriesCondition | ConditionGroup

/** The form of a field: two names or more with dots, and indexes. */
export const fieldPattern = /^(study|series)(\.[A-Za-z_][A-Za-z0-9_]*|\[\d{1,4}\])+$/
