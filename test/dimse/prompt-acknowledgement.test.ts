import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { acknowledgePromptly } from '../../src/dimse/prompt-acknowledgement.ts'

const isLinux = process.platform === 'linux'

it.skipIf(!isLinux)(
  'switches delayed acknowledgements off, which the next response switches on again (Linux only)',
  async () => {
    const { default: koffi } = await import('koffi')
    const getsockopt = koffi.load(null).func('int getsockopt(int, int, int, _Out_ int *, _Inout_ uint *)')
    const isPrompt = (socket: Socket): boolean => {
      const value = [0]
      const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
      expect(getsockopt(fd, 6, 12, value, [4])).toBe(0)
      return value[0] === 1
    }
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const peer = connect((server.address() as { port: number }).port, '127.0.0.1')
    const [accepted] = (await once(server, 'connection')) as [Socket]
    try {
      for (let turn = 0; turn < 3; turn++) {
        peer.write('request')
        await once(accepted, 'data')
        accepted.write('response')
        await once(peer, 'data')
        expect(isPrompt(accepted)).toBe(false)
        acknowledgePromptly(accepted)
        expect(isPrompt(accepted)).toBe(true)
      }
    } finally {
      peer.destroy()
      accepted.destroy()
      server.close()
    }
  },
)

it('leaves a socket alone that is closed', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect((server.address() as { port: number }).port, '127.0.0.1')
  await once(peer, 'connect')
  peer.destroy()
  await once(peer, 'close')
  server.close()
  expect(() => acknowledgePromptly(peer)).not.toThrow()
})
