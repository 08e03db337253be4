import { RequestError } from '../dicomweb/request-error.ts'

const maximumFrames = 10_000

/**
 * The frame numbers of `/frames/1,2,3`, in the order asked for (PS3.18 10.4.1.3: numbered from 1).
 * @throws RequestError 'bad-frame-list'
 */
export function parseFrameList(text: string): number[] {
  const numbers = text.split(',')
  if (numbers.length > maximumFrames || !numbers.every((number) => /^[1-9]\d{0,8}$/.test(number))) {
    throw new RequestError(
      'bad-frame-list',
      `The frame list in the URL is not a list of frame numbers from 1, separated by commas, of at most ${maximumFrames}.`,
    )
  }
  return numbers.map(Number)
}
