import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { CraftedPeer } from './crafted-peer.ts'

/** A listener that hands its one connection over as a peer. */
export async function acceptOne(): Promise<{ port: number; accepted: Promise<CraftedPeer>; close(): void }> {
  const server = createServer()
  const accepted = once(server, 'connection').then(([socket]) => CraftedPeer.over(socket as Socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, accepted, close: () => void server.close() }
}
