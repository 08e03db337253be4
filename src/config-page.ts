import { z } from 'zod'
import { bytes, seconds } from './config-values.ts'

/** The section `page` of the configuration: what the administrator's page shows and takes. */
export const pageSchema = z
  .strictObject({
    lateAfter: seconds(
      'Seconds from the last instance of a study to its last delivered result: what takes longer counts as late.',
      { min: 1, max: 2_592_000 },
    ).default(1800),
    thumbnails: bytes('Bytes, or text such as "200 MiB": small pictures that are kept on disk at most.').default(
      200 * 2 ** 20,
    ),
    uploads: bytes('Bytes, or text such as "4 GiB": the largest pipeline that can be uploaded.').default(4 * 2 ** 30),
  })
  .prefault({})
  .describe('What the administrator’s page shows and takes.')
