import { HilumError } from '../../errors.ts'

/** A model from elsewhere cannot be made a pipeline: `no-model`, `not-importable`, or an answer that makes no sense: `bad-answer`. */
export class ImportError extends HilumError<'no-model' | 'not-importable' | 'bad-answer'> {}
