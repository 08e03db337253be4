import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acknowledge } from '../../src/assemble/hl7-acknowledgement.ts'
import { frameHl7, type Hl7Frame, Hl7FrameReader } from '../../src/assemble/hl7-frames.ts'
import { decodeHl7, readHl7Head } from '../../src/assemble/hl7-head.ts'
import { type Hl7Order, readOrders } from '../../src/assemble/hl7-order.ts'

const header = 'MSH|^~\\&|RIS|NORTH|HILUM|HILUM|20261121120000||ORM^O01|MSG00001|P|2.3.1||||||8859/1'
const patient = 'PID|1||P123^^^NORTH||DOE^JOHN'

function ordersIn(...segments: string[]): Hl7Order[] {
  const bytes = Buffer.from(`${segments.join('\r')}\r`, 'latin1')
  const head = readHl7Head(bytes)
  if (head === null) throw new Error('no header')
  return readOrders(head, decodeHl7(bytes, head))
}
const obr = (fields: Record<number, string>) =>
  ['OBR', ...Array.from({ length: 25 }, (_, i) => fields[i + 1] ?? '')].join('|')

describe('an HL7 message', () => {
  it('names the study by ZDS, and tells of a completed order', () => {
    const orders = ordersIn(
      header,
      patient,
      'ORC|SC|P1|F1||CM',
      obr({ 18: 'ACC1' }),
      'ZDS|1.2.3.4^RIS^Application^DICOM',
    )
    expect(orders).toEqual([
      { studyInstanceUID: '1.2.3.4', accessionNumbers: ['ACC1'], state: 'completed', because: 'ORC-5 CM' },
    ])
  })

  it('names the study by IPC in an imaging order', () => {
    const imaging = header.replace('ORM^O01', 'OMI^O23^OMI_O23')
    const orders = ordersIn(imaging, 'ORC|NW', obr({ 3: 'F1', 18: 'X' }), 'IPC|ACC1^RIS|RP1|1.2.3.5|SPS1|CT')
    expect(orders).toEqual([{ studyInstanceUID: '1.2.3.5', accessionNumbers: ['ACC1'], state: 'noted', because: null }])
  })

  it('tells several orders apart, and takes every number that may be an accession number', () => {
    const orders = ordersIn(
      header,
      'ORC|CA',
      obr({ 3: 'F1^RIS', 18: 'A\\T\\1' }),
      'ORC|SC||||IP',
      obr({ 3: 'F2' }),
      obr({ 3: 'F3~F4', 25: 'F' }),
    )
    expect(orders.map(({ accessionNumbers, state, because }) => [accessionNumbers, state, because])).toEqual([
      [['A&1', 'F1'], 'cancelled', 'ORC-1 CA'],
      [['F2'], 'noted', null],
      [['F3'], 'completed', 'OBR-25 F'],
    ])
  })

  it.each([
    ['ORC|CM', '', 'completed'],
    ['ORC|OC', '', 'cancelled'],
    ['ORC|SC||||DC', '', 'cancelled'],
    ['ORC|NW', 'X', 'cancelled'],
    ['ORC|RE', 'P', 'noted'],
    ['ORC|UC', '', 'noted'],
  ])('takes %s with result status "%s" for %s', (orc, result, state) => {
    expect(ordersIn(header, orc, obr({ 3: 'F1', 25: result }))[0]?.state).toBe(state)
  })

  it('does not look at reports, and reads line feeds as ends of segments', () => {
    const report = header.replace('ORM^O01', 'ORU^R01')
    const lines = [report, patient, obr({ 3: 'F1', 25: 'F' }), `OBX|1|TX|||${'text|'.repeat(1000)}MSH|^~\\&`]
    expect(ordersIn(lines.join('\r\n'))[0]?.state).toBe('completed')
  })

  it('tolerates other delimiters and character sets, known and unknown', () => {
    const odd = 'MSH#*~\\&#RIS#N#H#H#2026##ORM*O01#M1#P#2.3######UNICODE UTF-8'
    expect(ordersIn(odd, 'ORC#CM', 'OBR##F1*X#F2*X')[0]?.accessionNumbers).toEqual(['F2'])
    const named = (name: string, bytes: Buffer) => {
      const all = Buffer.concat([Buffer.from(header.replace('8859/1', name)), Buffer.from('\rORC|CM\rOBR|||'), bytes])
      const head = readHl7Head(all)
      return head && readOrders(head, decodeHl7(all, head))[0]?.accessionNumbers
    }
    expect(named('UNICODE UTF-8', Buffer.from('Ä1'))).toEqual(['Ä1'])
    expect(named('8859/1', Buffer.from('Ä1', 'latin1'))).toEqual(['Ä1'])
    expect(named('8859/2~8859/1', Buffer.from([0xa3, 0x31]))).toEqual(['Ł1'])
    expect(named('ISO IR87', Buffer.from('A1'))).toEqual(['A1'])
  })

  it.each([
    ['hl7-rejected', [header.replace('ORM^O01', 'ADT^A08'), 'ORC|CM']],
    ['hl7-rejected', [header.replace('MSG00001', ''), 'ORC|CM']],
    ['hl7-error', [header, patient]],
    ['hl7-error', [header, 'ORC|CM', obr({ 25: 'F' })]],
    ['hl7-error', [header, 'ORC|CM', 'ZDS|not-a-uid^RIS']],
  ])('is refused with %s where it cannot be used, without a word of it', (code, segments) => {
    try {
      ordersIn(...segments, 'PID|1||P123||SECRET^NAME')
      expect.unreachable('it was taken')
    } catch (error) {
      expect(error).toMatchObject({ code })
      expect(String(error)).not.toMatch(/SECRET|P123|ADT/)
    }
  })

  it('is answered in its own delimiters and version', () => {
    const head = readHl7Head(Buffer.from(header.replaceAll('|', '#')))
    const answer = acknowledge(head, 'AE', 'no accession number # here', new Date('2026-11-21T12:00:00Z'))
    const [msh, msa] = answer.toString('latin1').split('\r')
    expect(msh).toMatch(/^MSH#\^~\\&#HILUM#HILUM#RIS#NORTH#20261121120000##ACK\^O01#[0-9a-f-]{20}#P#2\.3\.1$/)
    expect(msa).toBe('MSA#AE#MSG00001#no accession number   here')
    expect(acknowledge(null, 'AR', 'no header', new Date(0)).toString()).toMatch(
      /^MSH\|\^~\\&\|+\d+\|\|ACK\|.*\rMSA\|AR\|\|no header\r$/,
    )
  })

  it('never ends in anything but orders or a refusal, whatever the bytes are', () => {
    const segment = fc.oneof(
      fc.constantFrom('ORC|CM', 'OBR', 'OBR|||', 'IPC|A', 'ZDS', 'MSH|^~\\&|', 'ORC'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(segment), fc.string(), (segments, tail) => {
        const bytes = Buffer.from([header, ...segments].join('\r') + tail)
        const head = readHl7Head(bytes)
        try {
          if (head) readOrders(head, decodeHl7(bytes, head))
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^hl7-/)
        }
      }),
      { numRuns: 300 },
    )
    for (const text of ['', 'MSH', 'MSH|', 'MSH|^~\\&', 'PID|1', '\0\0\0'])
      expect(readHl7Head(Buffer.from(text))).toBeNull()
  })
})

describe('the frames of a connection', () => {
  const read = (reader: Hl7FrameReader, ...chunks: Buffer[]): Hl7Frame[] =>
    chunks.flatMap((chunk) => [...reader.read(chunk)])
  const texts = (frames: Hl7Frame[]) => frames.map((frame) => ('bytes' in frame ? frame.bytes.toString() : frame.kind))

  it('are found however their bytes are cut', () => {
    const messages = ['MSH|1', 'MSH|2 is longer', 'MSH|3']
    const bytes = Buffer.concat([Buffer.from('\r\n'), ...messages.map((text) => frameHl7(Buffer.from(text)))])
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
        const reader = new Hl7FrameReader(100)
        expect(texts(read(reader, ...chunks))).toEqual(messages)
        expect(reader.underWay).toBe(false)
      }),
    )
  })

  it('begin anew where a message has no end', () => {
    const frames = read(new Hl7FrameReader(100), Buffer.from('\x0bMSH|1\r\x0bMSH|2\x1c\r'))
    expect(frames.map((frame) => frame.kind === 'message' && frame.whole)).toEqual([false, true])
    expect(texts(frames)).toEqual(['MSH|1\r', 'MSH|2'])
  })

  it('end with a message that is too long, and with garbage', () => {
    expect(read(new Hl7FrameReader(10), Buffer.from('\x0bMSH|12345'), Buffer.from('67890'))).toEqual([
      { kind: 'too-long', bytes: Buffer.from('MSH|123456') },
    ])
    expect(read(new Hl7FrameReader(10), Buffer.alloc(40_000, 'x'), Buffer.alloc(40_000, 'x'))).toEqual([
      { kind: 'garbage' },
    ])
  })
})
