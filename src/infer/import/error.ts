import { HilumError } from '../../errors.ts'

/** A model from elsewhere cannot be made a pipeline: `no-model`, `not-importable`, an answer that makes no sense: `bad-answer`, or somebody who wants no more: `cancelled`. */
export class ImportError extends HilumError<'no-model' | 'not-importable' | 'bad-answer' | 'cancelled'> {}
