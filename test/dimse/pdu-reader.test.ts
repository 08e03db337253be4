import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DimseError } from '../../src/dimse/error.ts'
import { type FragmentHead, PDUReader, type PDUSink } from '../../src/dimse/pdu-reader.ts'
import { dataPDU, rawPDU } from './crafted-peer.ts'

/** Writes down what it is told, with the fragments' bytes put together. */
class Recorder implements PDUSink {
  readonly pdus: { type: number; body: string }[] = []
  readonly fragments: { head: FragmentHead; value: string }[] = []
  stopAfterFragment: (() => void) | null = null
  #parts: Buffer[] = []
  #head: FragmentHead | null = null

  onPDU(type: number, body: Buffer): void {
    this.pdus.push({ type, body: body.toString('hex') })
  }
  onFragmentStart(head: FragmentHead): void {
    this.#head = head
  }
  onFragmentBytes(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
  }
  onFragmentEnd(): void {
    if (this.#head) this.fragments.push({ head: this.#head, value: Buffer.concat(this.#parts).toString('hex') })
    this.#parts = []
    this.stopAfterFragment?.()
  }
}

const fragment = fc.record({
  context: fc.integer({ min: 0, max: 127 }).map((n) => 2 * n + 1),
  command: fc.boolean(),
  last: fc.boolean(),
  value: fc.uint8Array({ maxLength: 40 }),
})

function reasonOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return (error as DimseError).detail.abortReason
  }
  return 'nothing was thrown'
}

const header = (type: number, length: number): Buffer => {
  const bytes = Buffer.from([type, 0, 0, 0, 0, 0])
  bytes.writeUInt32BE(length, 2)
  return bytes
}

describe('the PDU reader', () => {
  it('gives the same fragments wherever the chunks are cut, and loses none of several in one PDU', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fragment, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1 }),
        (pdus, cuts) => {
          const recorder = new Recorder()
          const reader = new PDUReader(recorder)
          const bytes = Buffer.concat(pdus.map((fragments) => dataPDU(...fragments)))
          for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
            const end = Math.min(bytes.length, offset + (cuts[turn % cuts.length] ?? 1))
            expect(reader.read(bytes.subarray(offset, end))).toBe(end - offset)
            offset = end
          }
          expect(reader.insidePDU).toBe(false)
          expect(recorder.fragments).toEqual(
            pdus.flat().map(({ context, command, last, value }) => ({
              head: { contextID: context, command, last, length: value.length },
              value: Buffer.from(value).toString('hex'),
            })),
          )
        },
      ),
    )
  })

  it('returns early when it is stopped, and goes on with the rest', () => {
    const recorder = new Recorder()
    const reader = new PDUReader(recorder)
    recorder.stopAfterFragment = () => reader.stop()
    const bytes = Buffer.concat([dataPDU({ value: Buffer.from('one') }), dataPDU({ value: Buffer.from('two') })])
    const used = reader.read(bytes)
    expect(used).toBe(bytes.length / 2)
    expect(recorder.fragments).toHaveLength(1)
    expect(reader.read(bytes.subarray(used))).toBe(bytes.length - used)
    expect(recorder.fragments).toHaveLength(2)
  })

  it('gathers association PDUs across chunks', () => {
    const recorder = new Recorder()
    const reader = new PDUReader(recorder)
    const body = Buffer.from(Array.from({ length: 3000 }, (_, n) => n % 251))
    for (const byte of rawPDU(1, body)) reader.read(Buffer.of(byte))
    expect(recorder.pdus).toEqual([{ type: 1, body: body.toString('hex') }])
  })

  it.each([
    ['an unknown PDU type', header(0x47, 4), 1],
    ['an association request of 4 GiB', header(1, 0xffffffff), 6],
    ['an association request that is too short', header(1, 67), 6],
    ['a P-DATA-TF of 4 GiB', header(4, 0xffffffff), 6],
    ['a P-DATA-TF without room for a value', header(4, 5), 6],
    ['a release request of 5 bytes', header(5, 5), 6],
    ['a value that leads beyond its PDU', Buffer.concat([header(4, 10), Buffer.from([0, 0, 0, 9, 1, 3])]), 6],
    ['a value of no length', Buffer.concat([header(4, 10), Buffer.from([0, 0, 0, 1, 1, 3])]), 6],
    ['bytes behind the last value', Buffer.concat([header(4, 9), Buffer.from([0, 0, 0, 3, 1, 3, 0])]), 6],
  ])('refuses %s at once', (_, bytes, reason) => {
    expect(reasonOf(() => new PDUReader(new Recorder()).read(bytes))).toBe(reason)
  })

  it('never throws anything but violations on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new PDUReader(new Recorder()).read(Buffer.from(bytes))
        } catch (error) {
          expect((error as DimseError).code).toBe('protocol-violation')
        }
      }),
    )
  })
})
