import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoreReceiver } from '../../src/dimse/store-message.ts'
import { Admission } from '../../src/receive/admission.ts'
import { DataSetTap, headLength } from '../../src/receive/data-set-tap.ts'
import { headerOf } from '../../src/receive/examine.ts'
import type { ReceivedInstance } from '../../src/receive/received.ts'
import { ReceivedBatch } from '../../src/receive/received-batch.ts'
import { tellingRefusals } from '../../src/receive/refused-instances.ts'
import { SeriesSeen } from '../../src/receive/series-seen.ts'

describe('admission', () => {
  const caller = (callingAETitle: string, calledAETitle = 'HILUM') => ({ callingAETitle, calledAETitle })
  const remotes = [
    { aeTitle: 'CT1', addresses: ['10.1.0.0/16', '10.2.0.7'] },
    { aeTitle: 'CT1', addresses: ['2001:db8::/32'], may: ['query' as const] },
    { aeTitle: 'ANYWHERE' },
  ]
  const admission = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: false, unknownCallers: 'loopback', remotes })

  const store = ['store']
  const everything = ['store', 'query', 'retrieve']
  const told = (judge: Admission, title: string, address: string, called = 'HILUM') => {
    const judgement = judge.judge(caller(title, called), address)
    return 'refusal' in judgement ? judgement.refusal : [...judgement.permissions]
  }

  it.each([
    ['CT1', '10.1.200.3', store],
    ['CT1', '10.2.0.7', store],
    ['CT1', '10.2.0.8', 'calling-ae-title'],
    ['CT1', '2001:db8::5', ['query']],
    ['CT1', '127.0.0.1', 'calling-ae-title'],
    ['ANYWHERE', '8.8.8.8', store],
    ['NOBODY', '10.1.0.1', 'calling-ae-title'],
    ['NOBODY', '127.0.0.9', everything],
    ['NOBODY', '::1', everything],
    ['NOBODY', '', 'calling-ae-title'],
  ])('judges %s at %s', (title, address, answer) => {
    expect(told(admission, title, address)).toEqual(answer)
  })

  it('asks for its own title, unless any will do', () => {
    expect(told(admission, 'ANYWHERE', '8.8.8.8', 'OTHER')).toBe('called-ae-title')
    const lenient = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: true, unknownCallers: 'accept', remotes: [] })
    expect(told(lenient, 'NOBODY', '8.8.8.8', 'OTHER')).toEqual(store)
    expect(told(lenient, 'NOBODY', '127.0.0.1', 'OTHER')).toEqual(everything)
  })

  it('refuses strangers everywhere when it is told to, and takes another list from one moment to the next', () => {
    const strict = new Admission({ aeTitle: 'HILUM', acceptAnyCalledAE: false, unknownCallers: 'reject', remotes: [] })
    expect(told(strict, 'NOBODY', '127.0.0.1')).toBe('calling-ae-title')
    const somebody = [{ aeTitle: 'NOBODY', addresses: ['127.0.0.1'], may: ['retrieve' as const] }]
    strict.update({ unknownCallers: 'reject', remotes: somebody })
    expect(told(strict, 'NOBODY', '127.0.0.1')).toEqual(['retrieve'])
    strict.update({ unknownCallers: 'reject', remotes: [] })
    expect(told(strict, 'NOBODY', '127.0.0.1')).toBe('calling-ae-title')
  })
})

describe('a refused instance', () => {
  const receiver = { write: () => {}, end: async () => {}, abandon: () => {} }
  const fail = () => {
    throw new Error('no')
  }

  it('is told once, whenever it is refused, and not when it is kept', async () => {
    let told = 0
    const telling = (of: Partial<StoreReceiver>) =>
      tellingRefusals(
        () => ({ ...receiver, ...of }),
        () => told++,
      )
    await telling({}).end()
    expect(told).toBe(0)
    expect(() => tellingRefusals(fail, () => told++)).toThrow('no')
    expect(() => telling({ write: fail }).write(Buffer.alloc(1))).toThrow('no')
    await expect(telling({ end: async () => fail() }).end()).rejects.toThrow('no')
    expect(told).toBe(3)
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
  it('hold at most 250 instances, and go out by themselves', async () => {
    const sizes: number[] = []
    await new Promise<void>((resolve) => {
      const batch = new ReceivedBatch(({ length }) => {
        sizes.push(length)
        if (length < 250) resolve()
      })
      for (let n = 0; n < 550; n++) batch.add({} as ReceivedInstance)
      expect(sizes).toEqual([250, 250])
    })
    expect(sizes).toEqual([250, 250, 50])
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
