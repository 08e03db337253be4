import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/**
 * dcmtk's storescp, which writes what it gets to a folder as it came (`+B`), in every transfer syntax that it knows.
 * @param options.port default: a free one
 */
export async function startStorescp(
  folder: string,
  options: { port?: number; aeTitle?: string } = {},
): Promise<{ port: number; stop(): Promise<void> }> {
  const port = options.port ?? (await freePort())
  const title = options.aeTitle === undefined ? [] : ['-aet', options.aeTitle]
  const child = spawn('storescp', [...title, '+B', '+xa', '-od', folder, String(port)], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill()
    await exited
  }
  for (let tries = 0; tries < 500; tries++) {
    const socket = connect(port, '127.0.0.1')
    const reached = await Promise.race([once(socket, 'connect'), once(socket, 'error')]).then(
      (came) => came.length === 0,
      () => false,
    )
    socket.destroy()
    if (reached) return { port, stop }
    await sleep(20)
  }
  await stop()
  throw new Error('storescp did not listen')
}
