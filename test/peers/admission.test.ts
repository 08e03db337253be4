import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CraftedPeer, storePDUs } from '../dimse/crafted-peer.ts'
import { slice } from '../dimse/data-sets.ts'
import { repository } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'

interface Told {
  refused: { id: number; callingAETitle: string; calledAETitle: string; address: string; times: number }[]
  configured: { aeTitle: string; may: string[]; traffic: { associations: number; instances: number } }[]
}

describe.skipIf(!available('echoscu', 'storescu'))('a node that refuses strangers', () => {
  let node: NodeProcess

  beforeAll(async () => {
    node = await new NodeProcess({ HILUM_DIMSE_UNKNOWNCALLERS: 'reject' }).start()
  })
  afterAll(() => node?.dispose())

  const echo = (aeTitle: string, called = 'HILUM') =>
    runProgram('echoscu', ['-v', '-aet', aeTitle, '-aec', called, '127.0.0.1', String(node.dimsePort)])
  const told = () => node.json<Told>('/api/remotes')
  const send = (method: string, where: string, body: unknown = {}) =>
    node.fetch(where, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'if-match': '*' },
    })

  it('remembers whom it refused, and admits them by one call, without a restart', async () => {
    expect(echo('SCANNER').output).toContain('Calling AE Title Not Recognized')
    expect(echo('SCANNER').code).not.toBe(0)
    expect(echo('SCANNER', 'OTHER').output).toContain('Called AE Title Not Recognized')
    const { refused } = await told()
    expect(refused).toMatchObject([
      { callingAETitle: 'SCANNER', calledAETitle: 'OTHER', times: 1 },
      { callingAETitle: 'SCANNER', calledAETitle: 'HILUM', address: '127.0.0.1', times: 2 },
    ])
    expect((await send('POST', `/api/remotes/refused/${refused[0]?.id}/admit`)).status).toBe(409)
    expect((await send('POST', `/api/remotes/refused/${refused[1]?.id}/admit`)).status).toBe(200)
    expect(echo('SCANNER').code).toBe(0)
    expect(await told()).toMatchObject({ configured: [{ aeTitle: 'SCANNER', traffic: { associations: 1 } }] })
  })

  it('lets open associations go on when a remote is removed', async () => {
    await send('POST', '/api/remotes', { aeTitle: 'LEAVING', addresses: ['127.0.0.1'] })
    const peer = await CraftedPeer.associate(node.dimsePort, { callingAETitle: 'LEAVING' })
    expect((await send('DELETE', '/api/remotes/LEAVING')).status).toBe(204)
    expect(echo('LEAVING').output).toContain('Calling AE Title Not Recognized')
    peer.send(storePDUs('1.2.3.4', slice()))
    expect(await peer.response()).toMatchObject({ status: 0 })
    peer.socket.destroy()
  })

  it('is changed from the command line, too', async () => {
    const hilum = (...args: string[]) =>
      runProgram(process.execPath, ['dist/main.js', 'remote', ...args], {
        cwd: repository,
        env: { HILUM_DATADIR: node.dataDir },
      })
    expect(hilum('add', 'CLI', '--address', '127.0.0.0/8', '--may', 'store,query').output).toContain('added: CLI')
    while (echo('CLI').code !== 0) await sleep(100)
    expect(await told()).toMatchObject({
      configured: expect.arrayContaining([expect.objectContaining({ aeTitle: 'CLI', may: ['store', 'query'] })]),
    })
    expect(hilum('echo', 'CLI')).toMatchObject({ code: 1, output: expect.stringContaining('it has no host') })
    expect(hilum('add', 'CLI2', '--may', 'everything').code).toBe(2)
    const { entries } = await node.json<{ entries: { actor: string; action: string }[] }>('/api/audit')
    expect(entries).toContainEqual(expect.objectContaining({ actor: 'command line', action: 'remote-add' }))
  })
})
