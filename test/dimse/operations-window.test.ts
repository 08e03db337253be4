import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import { CraftedPeer, storePDUs } from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
async function start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  running.push(scp)
  return scp
}
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

describe('an asynchronous operations window', () => {
  it.each([
    [{ invoked: 8, performed: 8 }, 4, { invoked: 4, performed: 1 }],
    [{ invoked: 2, performed: 1 }, 4, { invoked: 2, performed: 1 }],
    [{ invoked: 0, performed: 0 }, 4, { invoked: 4, performed: 1 }],
    [null, 4, null],
  ])('of %j is answered', async (asynchronousOperations, most, answered) => {
    const scp = await start({ asynchronousOperations: most })
    const peer = await CraftedPeer.associate(scp.port, { asynchronousOperations })
    expect(peer.answer?.asynchronousOperations).toEqual(answered)
  })

  it('lets as many instances as agreed be kept at once, and reads no more of them', async () => {
    const scp = await start({ asynchronousOperations: 3 })
    const open: (() => void)[] = []
    scp.beforeSuccess = () => new Promise((resolve) => open.push(resolve))
    const peer = await CraftedPeer.associate(scp.port, { asynchronousOperations: { invoked: 5, performed: 1 } })
    for (let n = 1; n <= 5; n++) peer.send(storePDUs(`1.2.${n}`, Buffer.alloc(100_000, n), { messageID: n }))
    await until(() => open.length === 3)
    await wait(50)
    expect(open).toHaveLength(3)
    open[2]?.()
    expect(await peer.response()).toMatchObject({ messageIDBeingRespondedTo: 3, sopInstanceUID: '1.2.3', status: 0 })
    await until(() => open.length === 4)
    for (const finish of open) finish()
    await until(() => open.length === 5)
    open[4]?.()
    const others = [await peer.response(), await peer.response(), await peer.response(), await peer.response()]
    expect(others.map((response) => response.messageIDBeingRespondedTo)).toEqual(expect.arrayContaining([1, 2, 4, 5]))
    expect(scp.stored.every(({ bytes }) => bytes.length === 100_000)).toBe(true)
  })

  it('refuses a message ID that is under way', async () => {
    const scp = await start({ asynchronousOperations: 4 })
    let finish = (): void => undefined
    scp.beforeSuccess = () => new Promise((resolve) => (finish = resolve))
    const peer = await CraftedPeer.associate(scp.port, { asynchronousOperations: { invoked: 4, performed: 1 } })
    peer.send(storePDUs('1.2.1', Buffer.from('AB')), storePDUs('1.2.2', Buffer.from('CD')))
    expect(await peer.response()).toMatchObject({ status: 0x0210, sopInstanceUID: '1.2.2' })
    finish()
    expect(await peer.response()).toMatchObject({ status: 0, sopInstanceUID: '1.2.1' })
  })

  it('is only as wide as there is memory for, over all associations', async () => {
    const [associations, window] = [20, 16]
    const scp = await start({ asynchronousOperations: window, maxAssociations: associations })
    let underWay = 0
    let most = 0
    const open: (() => void)[] = []
    scp.beforeSuccess = async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((resolve) => open.push(resolve))
      underWay--
    }
    const peers: CraftedPeer[] = []
    for (let n = 0; n < associations; n++)
      peers.push(await CraftedPeer.associate(scp.port, { asynchronousOperations: { invoked: window, performed: 1 } }))
    for (const peer of peers)
      for (let n = 1; n <= window; n++) peer.send(storePDUs(`1.2.${n}`, Buffer.from('AB'), { messageID: n }))
    // 256 beside the first of each association.
    await until(() => underWay === associations + 256)
    const all = Promise.all(
      peers.map(async (peer) => {
        for (let n = 1; n <= window; n++) expect(await peer.response()).toMatchObject({ status: 0 })
      }),
    )
    const opening = setInterval(() => {
      for (const end of open.splice(0, 16)) end()
    }, 1)
    await all
    clearInterval(opening)
    expect(most).toBe(associations + 256)
    expect(scp.stored).toHaveLength(associations * window)
    // What was taken was given back, also by those that were cut off.
    scp.beforeSuccess = () => new Promise<void>((resolve) => open.push(resolve))
    const [first, second] = peers as [CraftedPeer, CraftedPeer]
    for (const peer of [first, second])
      for (let n = 1; n <= window; n++) peer.send(storePDUs(`1.2.${n}`, Buffer.from('AB'), { messageID: n }))
    await until(() => open.length === 2 * window)
  })
})
