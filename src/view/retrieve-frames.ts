import type { FileHandle } from 'node:fs/promises'
import type { Request, Response } from 'express'
import { writeMultipart } from '../dicomweb/multipart.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { acceptedTypes } from '../dicomweb/service-request.ts'
import { BoundedCache } from './bounded-cache.ts'
import { type FrameLayout, layOutFrames } from './frame-layout.ts'
import { chooseFrameForm, frameContentType } from './frame-media-types.ts'
import { readInflated } from './inflated-bytes.ts'
import { openObject, readRanges, swapBytes, takeBits } from './object-bytes.ts'
import type { ObjectPaths } from './retrieve-instances.ts'
import { isUnchanged, sendBody } from './send.ts'
import type { StoredInstance } from './stored-instances.ts'

/** The layouts that were asked for last; a viewer asks for the frames of an instance one by one. */
export type FrameLayouts = BoundedCache<FrameLayout>

/** @param bytes about the memory that the layouts may take */
export function createFrameLayouts(bytes = 32 * 1024 * 1024): FrameLayouts {
  return new BoundedCache(bytes, (layout) => layout.weight)
}

interface Exchange {
  request: Request
  response: Response
  objects: ObjectPaths
  layouts: FrameLayouts
}

/**
 * Sends frames from where they lie in the file (PS3.18 10.4.1.3).
 * @param numbers frame numbers from 1, or `all`
 * @throws RequestError 'no-such-frame', 'not-acceptable'
 */
export async function retrieveFrames(
  { request, response, objects, layouts }: Exchange,
  instance: StoredInstance,
  numbers: readonly number[] | 'all',
): Promise<void> {
  const path = await objects.pathOf(instance.objectKey)
  const layout = await layouts.get(instance.objectKey, () => layOutFrames(path))
  const frames = framesOf(layout, numbers)
  const form = chooseFrameForm(acceptedTypes(request), layout.transferSyntaxUID, frames.length === 1)
  if (isUnchanged(request, response, instance.objectKey, frames.join(), form.mediaType, String(form.multipart))) return
  const file = await openObject(path)
  try {
    const parts = frames.map((frame) => ({
      headers: { 'Content-Type': frameContentType(form) },
      length: lengthOf(layout, frame),
      bytes: () => bytesOf(file, layout, frame),
    }))
    const [first] = parts
    if (!form.multipart && first) {
      await sendBody(request, response, { ...first, contentType: frameContentType(form) })
    } else await sendBody(request, response, writeMultipart(form.mediaType, parts))
  } finally {
    await file.close()
  }
}

/**
 * Sends the whole value of Pixel Data: one part when it is native, one part a frame when it is encapsulated (PS3.18 8.7.3.3).
 * @throws RequestError 'no-such-frame', 'not-acceptable'
 */
export async function retrievePixelData(exchange: Exchange, instance: StoredInstance): Promise<void> {
  const { request, response, objects, layouts } = exchange
  const path = await objects.pathOf(instance.objectKey)
  const layout = await layouts.get(instance.objectKey, () => layOutFrames(path))
  const { value } = layout
  if (value === null) {
    await retrieveFrames(exchange, instance, 'all')
    return
  }
  const form = chooseFrameForm(acceptedTypes(request), layout.transferSyntaxUID, true)
  if (isUnchanged(request, response, instance.objectKey, 'pixel data', String(form.multipart))) return
  const file = await openObject(path)
  try {
    const contentType = frameContentType(form)
    const bytes = () => swapBytes(source(file, layout, [value]), layout.wordBytes)
    const part = { headers: { 'Content-Type': contentType }, length: value.length, bytes }
    await sendBody(
      request,
      response,
      form.multipart ? writeMultipart(form.mediaType, [part]) : { ...part, contentType },
    )
  } finally {
    await file.close()
  }
}

function framesOf(layout: FrameLayout, numbers: readonly number[] | 'all'): number[] {
  if (numbers === 'all') return Array.from({ length: layout.frames }, (_, frame) => frame)
  const missing = numbers.find((number) => number > layout.frames)
  if (missing !== undefined) {
    throw new RequestError('no-such-frame', `The instance has no frame ${missing}: it has ${layout.frames}.`)
  }
  return numbers.map((number) => number - 1)
}

function lengthOf(layout: FrameLayout, frame: number): number {
  if (layout.packedBits !== null) return Math.ceil(layout.packedBits / 8)
  return layout.rangesOf(frame).reduce((sum, range) => sum + range.length, 0)
}

function bytesOf(file: FileHandle, layout: FrameLayout, frame: number): AsyncGenerator<Buffer, void, void> {
  const stored = swapBytes(source(file, layout, layout.rangesOf(frame)), layout.wordBytes)
  if (layout.packedBits === null) return stored
  return takeBits(stored, { skip: (frame * layout.packedBits) % 8, bits: layout.packedBits })
}

function source(file: FileHandle, layout: FrameLayout, ranges: Parameters<typeof readRanges>[1]) {
  return layout.deflatedAt === null ? readRanges(file, ranges) : readInflated(file, layout.deflatedAt, ranges)
}
