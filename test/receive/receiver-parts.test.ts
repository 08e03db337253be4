import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Admission } from '../../src/receive/admission.ts'
import { DataSetTap, headLength } from '../../src/receive/data-set-tap.ts'
import { headerOf } from '../../src/receive/examine.ts'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import { ReceivedBatch } from '../../src/receive/received-batch.ts'
import { SeriesSeen } from '../../src/receive/series-seen.ts'

describe('admission', () => {
  const caller = (callingAETitle: string, calledAETitle = 'HILUM') => ({ callingAETitle, calledAETitle })
  const remotes = [
    { aeTitle: 'CT1', addresses: ['10.1.0.0/16', '10.2.0.7'] },
    { aeTitle: 'CT1', addresses: ['2001:db8::/32'] },
    { aeTitle: 'ANYWHERE' },
  ]
  const admission = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: false, unknownCallers: 'loopback', remotes })

  it.each([
    ['CT1', '10.1.200.3', null],
    ['CT1', '10.2.0.7', null],
    ['CT1', '10.2.0.8', 'calling-ae-title'],
    ['CT1', '2001:db8::5', null],
    ['CT1', '127.0.0.1', 'calling-ae-title'],
    ['ANYWHERE', '8.8.8.8', null],
    ['NOBODY', '10.1.0.1', 'calling-ae-title'],
    ['NOBODY', '127.0.0.9', null],
    ['NOBODY', '::1', null],
    ['NOBODY', '', 'calling-ae-title'],
  ])('judges %s at %s', (title, address, refusal) => {
    expect(admission.judge(caller(title), address)?.refusal ?? null).toBe(refusal)
  })

  it('asks for its own title, unless any will do', () => {
    expect(admission.judge(caller('ANYWHERE', 'OTHER'), '8.8.8.8')?.refusal).toBe('called-ae-title')
    const lenient = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: true, unknownCallers: 'accept', remotes: [] })
    expect(lenient.judge(caller('NOBODY', 'OTHER'), '8.8.8.8')).toBe(null)
  })

  it('refuses strangers everywhere when it is told to', () => {
    const strict = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: false, unknownCallers: 'reject', remotes: [] })
    expect(strict.judge(caller('NOBODY'), '127.0.0.1')?.refusal).toBe('calling-ae-title')
  })
})

describe('the tap', () => {
  it('keeps the first 64 KiB and the last 16 bytes, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 8 }), (lengths) => {
        const tap = new DataSetTap()
        const parts = lengths.map((length, n) => Buffer.from(Array.from({ length }, (_, i) => (i * 3 + n) & 0xff)))
        for (const part of parts) tap.take(part)
        const all = Buffer.concat(parts)
        expect(tap.size).toBe(all.length)
        expect(tap.head.equals(all.subarray(0, headLength))).toBe(true)
        expect(tap.tail.equals(all.subarray(-16).subarray(all.length === 0 ? 16 : 0))).toBe(true)
        tap.dispose()
      }),
      { numRuns: 50 },
    )
  })
})

describe('series seen', () => {
  it('remembers the ones met last', () => {
    const seen = new SeriesSeen(2)
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((series) => seen.isNew(series))).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ])
  })
})

describe('batches', () => {
  it('hold at most 200 instances, and go out by themselves', async () => {
    const sizes: number[] = []
    const batch = new ReceivedBatch((instances) => sizes.push(instances.length))
    for (let n = 0; n < 450; n++) batch.add({} as ReceivedInstance)
    expect(sizes).toEqual([200, 200])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(sizes).toEqual([200, 200, 50])
    batch.flush()
    expect(sizes).toHaveLength(3)
  })
})

describe('a header', () => {
  it('has no bulk data at any depth', () => {
    const long = 'A'.repeat(4000)
    expect(
      headerOf({
        '00080060': { vr: 'CS', Value: ['CT'] },
        '00091010': { vr: 'OB', InlineBinary: long },
        '00091011': { vr: 'OB', InlineBinary: 'AAAA' },
        '00290010': { vr: 'OB', BulkDataURI: '#1,2' },
        '00400275': {
          vr: 'SQ',
          Value: [{ '00091010': { vr: 'OB', InlineBinary: long }, '00400007': { vr: 'LO', Value: ['x'] } }],
        },
      }),
    ).toEqual({
      '00080060': { vr: 'CS', Value: ['CT'] },
      '00091011': { vr: 'OB', InlineBinary: 'AAAA' },
      '00400275': { vr: 'SQ', Value: [{ '00400007': { vr: 'LO', Value: ['x'] } }] },
    })
  })
})
