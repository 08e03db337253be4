import * as z from 'zod'
import { radiomicsOptions } from '../radiomics/options.ts'
import { name, valueName } from './vocabulary.ts'

/** An entry of `measure`: the radiomics features of one segment or of each. */
export const radiomicsSchema = z.strictObject({
  /** Ids of the measurements begin with it. */
  id: name,
  radiomics: radiomicsOptions,
  /** The image whose values are looked at. */
  of: valueName,
  /** Id of a segment; left out: each segment for itself. */
  segment: name.optional(),
})
export type RadiomicsManifest = z.output<typeof radiomicsSchema>
