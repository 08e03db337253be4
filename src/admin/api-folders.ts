import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

const folder = z.object({
  path: z.string(),
  callingAETitle: z.string(),
  trouble: z.string().nullable().describe('why it cannot be read now, as a code of the file system'),
  taken: z.number().describe('files taken in since the node started'),
  quarantined: z.number(),
  ignored: z.number().describe('no DICOM instances, left where they are'),
  unreadable: z.number().describe('files and folders in it that cannot be read or taken in now'),
  waiting: z.number().describe('files that may still be written, or wait for their turn'),
})

export interface FoldersDeps {
  /** How the watched folders are. */
  folders(): z.input<typeof folder>[]
}

/** The watched folders. */
export function folderEndpoints({ folders }: FoldersDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/folders',
      summary: 'The watched folders, and what has become of their files since the node started',
      answer: z.object({ folders: z.array(folder) }),
      handle: () => ({ folders: folders() }),
    }),
  ]
}
