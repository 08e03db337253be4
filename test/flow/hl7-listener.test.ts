import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { frameHl7, Hl7FrameReader } from '../../src/assemble/hl7-frames.ts'
import type { Hl7Order } from '../../src/assemble/hl7-order.ts'
import { Hl7Listener, type Hl7ListenerOptions } from '../../src/flow/hl7-listener.ts'
import type { Log } from '../../src/log.ts'

const message = (id: string, obr = 'OBR||P1|ACC1') =>
  Buffer.from(`MSH|^~\\&|RIS|N|HILUM|H|20261121||ORM^O01|${id}|P|2.3\rPID|1||P123||SECRET^NAME\rORC|SC||||CM\r${obr}\r`)

describe('the HL7 listener', () => {
  let listener: Hl7Listener
  let port: number
  let taken: { orders: readonly Hl7Order[]; type: string; address: string }[]
  let lines: string[]
  const sockets: Socket[] = []

  beforeEach(() => {
    taken = []
    lines = []
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await listener.close()
  })

  async function listen(options: Partial<Hl7ListenerOptions> = {}): Promise<void> {
    const line = (sentence: string, context: unknown) => void lines.push(`${sentence} ${JSON.stringify(context)}`)
    const log: Log = { debug: line, info: line, warn: line, error: line, child: () => log }
    listener = new Hl7Listener({
      host: '127.0.0.1',
      port: 0,
      addresses: [],
      log,
      onOrders: async (orders, from) => void taken.push({ orders, ...from }),
      ...options,
    })
    port = await listener.start()
  }

  async function open(): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  /** The next answers: MSA-1, MSA-2 and MSA-3 of each. */
  async function answers(socket: Socket, count: number): Promise<string[]> {
    const reader = new Hl7FrameReader(10_000)
    const found: string[] = []
    while (found.length < count) {
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      for (const frame of reader.read(bytes))
        if (frame.kind === 'message') found.push(/\rMSA\|(.*)\r$/.exec(frame.bytes.toString('latin1'))?.[1] ?? '?')
    }
    return found
  }

  it('answers every message of a connection in order, and hands on what it says', async () => {
    await listen()
    const socket = await open()
    socket.write(Buffer.concat(['1', '2', '3'].map((id) => frameHl7(message(id)))))
    expect(await answers(socket, 3)).toEqual(['AA|1|', 'AA|2|', 'AA|3|'])
    const order = { studyInstanceUID: null, accessionNumbers: ['ACC1'], state: 'completed', because: 'ORC-5 CM' }
    expect(taken).toHaveLength(3)
    expect(taken[0]).toEqual({ orders: [order], type: 'ORM^O01', address: '127.0.0.1' })
  })

  it('puts fragments together', async () => {
    await listen()
    const socket = await open()
    const bytes = frameHl7(message('7'))
    const answer = answers(socket, 1)
    for (const byte of bytes) if (!socket.write(Buffer.from([byte]))) await once(socket, 'drain')
    expect(await answer).toEqual(['AA|7|'])
  })

  it('refuses what it cannot use, goes on with the next message, and logs nothing of either', async () => {
    await listen({
      onOrders: async (orders) => {
        if (orders[0]?.accessionNumbers[0] === 'FAILS') throw new Error('the disk is full')
      },
    })
    const socket = await open()
    const adt = Buffer.from(message('2').toString().replace('ORM^O01', 'ADT^A08'))
    socket.write(frameHl7(Buffer.from('PID|1||P123||SECRET^NAME\r')))
    socket.write(frameHl7(adt))
    socket.write(frameHl7(message('3', 'OBR|1')))
    socket.write(frameHl7(message('4', 'OBR|||FAILS')))
    socket.write(Buffer.concat([Buffer.from([0x0b]), message('5'), frameHl7(message('6'))]))
    expect(await answers(socket, 6)).toEqual([
      'AR||the message does not begin with an MSH segment',
      'AR|2|this message type is not taken here',
      'AE|3|no accession number (OBR-18, OBR-3, IPC-1) and no Study Instance UID (ZDS-1, IPC-3)',
      'AE|4|it cannot be kept now; send it again later',
      'AR|5|the message did not end before the next one began',
      'AA|6|',
    ])
    expect(lines.join('\n')).not.toMatch(/SECRET|P123|ACC1|FAILS/)
  })

  it('ends connections that bring too long a message, or none', async () => {
    await listen({ maximumLength: 1000 })
    const long = await open()
    const closed = once(long, 'close')
    long.write(frameHl7(Buffer.concat([message('1'), Buffer.alloc(5000, 'x')])))
    expect(await answers(long, 1)).toEqual(['AR|1|the message is longer than 1000 bytes'])
    await closed
    const garbage = await open()
    garbage.write(Buffer.alloc(100_000, 'GET / HTTP/1.1\r\n'))
    garbage.resume()
    await once(garbage, 'close')
    expect(taken).toEqual([])
  })

  it('ends a connection whose message does not come to its end, and one that is idle', async () => {
    await listen({ messageTimeoutMs: 50, idleTimeoutMs: 300 })
    const [slow, idle] = [await open(), await open()]
    slow.write(frameHl7(message('1')).subarray(0, -2))
    await Promise.all([once(slow, 'close'), once(idle, 'close')])
    expect(lines.some((line) => line.startsWith('an HL7 message did not end in time'))).toBe(true)
  })

  it('refuses other addresses, and more connections than allowed', async () => {
    await listen({ addresses: ['10.0.0.0/8'] })
    await once(await open(), 'close')
    await listener.close()
    await listen({ maximumConnections: 1 })
    const first = await open()
    first.write(frameHl7(message('1')))
    await answers(first, 1)
    await once(await open(), 'close')
    first.write(frameHl7(message('2')))
    expect(await answers(first, 1)).toEqual(['AA|2|'])
    first.end()
    await once(first, 'close')
    const next = await open()
    next.write(frameHl7(message('3')))
    expect(await answers(next, 1)).toEqual(['AA|3|'])
  })

  it('answers what it is keeping before it closes', async () => {
    let keep = (): void => undefined
    const begun = new Promise<void>((resolve) => {
      void listen({
        onOrders: () => {
          resolve()
          return new Promise<void>((kept) => {
            keep = kept
          })
        },
      }).then(async () => {
        const socket = await open()
        socket.write(frameHl7(message('1')))
      })
    })
    await begun
    const answer = answers(sockets[0] as Socket, 1)
    const closed = listener.close()
    keep()
    expect(await answer).toEqual(['AA|1|'])
    await closed
  })

  it('says which address is taken', async () => {
    await listen()
    const second = new Hl7Listener({
      host: '127.0.0.1',
      port,
      addresses: [],
      log: console as never,
      onOrders: async () => {},
    })
    await expect(second.start()).rejects.toMatchObject({ code: 'hl7-listener-failed' })
  })
})
