import { InferError } from '../error.ts'
import type { ImageInput } from '../manifest/input.ts'
import type { TaskInput } from '../task.ts'
import type { OpenedInput, OpenNote } from './opened-input.ts'
import { openSequence } from './sequence.ts'
import { openFrameList, openImage } from './stills.ts'
import { openVolume } from './volume.ts'

/**
 * Reads and checks the headers of an input of images.
 * @throws {InferError} `refused` with the value and the limit; `unreadable-input`
 */
export async function openInput(given: TaskInput, input: ImageInput, note: OpenNote): Promise<OpenedInput> {
  if (given.files.length === 0) throw new InferError('unreadable-input', `the input ${input.name} has no instances`)
  switch (input.kind) {
    case 'volume':
      return await openVolume(given, input, note)
    case 'sequence':
      return await openSequence(given, input, note)
    case 'image':
      return await openImage(given, input, note)
    case 'frames':
      return await openFrameList(given, input, note)
  }
}
