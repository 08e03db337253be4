import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseFileMeta } from '../../../src/dicom/part10.ts'
import { startStorescp } from '../../support/storescp.ts'
import { type Outcome, when } from './outcome.ts'
import { newFolder, type Setting } from './setting.ts'

/** Files of a folder by SOP Instance UID. */
export function filesBySOPInstance(folder: string): Map<string, Buffer> {
  return new Map(
    readdirSync(folder).map((name) => {
      const bytes = readFileSync(path.join(folder, name))
      return [parseFileMeta(bytes).mediaStorageSOPInstanceUID, bytes] as const
    }),
  )
}

/** Does something while dcmtk's storescp receives as the destination STORESCP. */
export async function receiving(setting: Setting, folder: string, act: () => Promise<unknown>): Promise<void> {
  const receiver = await startStorescp(folder, { port: setting.destinations.STORESCP, aeTitle: 'STORESCP' })
  try {
    await act()
  } finally {
    await receiver.stop()
  }
}

/** Passed when the instance came to STORESCP. */
export async function receivedBy(
  setting: Setting,
  name: string,
  sopInstanceUID: string,
  act: () => Promise<unknown>,
): Promise<Outcome> {
  const folder = newFolder(setting, name)
  await receiving(setting, folder, act)
  return when(filesBySOPInstance(folder).has(sopInstanceUID), 'the destination did not get the instance')
}
