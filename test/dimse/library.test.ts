import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parseCommandSet } from '../../src/dimse/command-set.ts'
import {
  CEchoResponse,
  LibraryAssociation,
  type LibraryCEchoRequest,
  type LibraryCEchoResponse,
  type LibraryInternals,
  LibraryScp,
} from '../../src/dimse/library.ts'
import { dataPDU, echoCommand, implicitVR, verification } from './crafted-peer.ts'

/** What LibraryEcho relies on beyond the published types. Read the library's source again before this version is changed. */
describe('dcmjs-dimse', () => {
  it('is the version that was read', () => {
    const manifest = createRequire(import.meta.url)('../../package.json') as { dependencies: Record<string, string> }
    const installed = createRequire(import.meta.url)('dcmjs-dimse/package.json') as { version: string }
    expect(manifest.dependencies['dcmjs-dimse']).toBe('0.3.3')
    expect(installed.version).toBe('0.3.3')
  })

  it('calls _wrapSocket from its constructor, and touches the socket nowhere else in it', () => {
    let wrapped = 0
    class Probe extends LibraryScp {
      _wrapSocket(): void {
        wrapped++
      }
    }
    const socket = new Socket()
    const before = socket.eventNames()
    const probe = new Probe(socket)
    expect(wrapped).toBe(1)
    expect(socket.eventNames()).toEqual(before)
    expect((probe as unknown as LibraryInternals).socket).toBe(socket)
  })

  it('performs an echo that is handed to _processPdu, and answers through socket.write', async () => {
    class Probe extends LibraryScp {
      _wrapSocket(): void {}
      override cEchoRequest(request: LibraryCEchoRequest, callback: (response: LibraryCEchoResponse) => void): void {
        const response = CEchoResponse.fromRequest(request)
        response.setStatus(0)
        callback(response)
      }
    }
    const written: Buffer[] = []
    const probe = new Probe(new Socket()) as unknown as LibraryInternals
    probe.socket = { write: (bytes: string | Uint8Array) => written.push(Buffer.from(bytes)) > 0 }
    probe.association = new LibraryAssociation('A', 'B')
    probe.association.addPresentationContext(verification, 7)
    probe.association.getPresentationContext(7).setResult(0, implicitVR)
    probe.association.setMaxPduLength(16384)
    for (const messageID of [1, 2]) {
      probe.dimseStream = undefined
      await probe._processPdu(dataPDU({ context: 7, command: true, last: true, value: echoCommand(messageID) }))
      const answer = written.pop() as Buffer
      expect(answer[10]).toBe(7)
      expect(parseCommandSet(answer.subarray(12))).toMatchObject({
        commandField: 0x8030,
        messageIDBeingRespondedTo: messageID,
        status: 0,
      })
    }
  })

  it('gathers command sets in dimseStream, which has to be emptied between messages', async () => {
    class Probe extends LibraryScp {
      _wrapSocket(): void {}
      override cEchoRequest(): void {}
    }
    const probe = new Probe(new Socket()) as unknown as LibraryInternals
    probe.association = new LibraryAssociation('A', 'B')
    probe.association.addPresentationContext(verification, 1)
    await probe._processPdu(dataPDU({ command: true, last: true, value: echoCommand(1) }))
    expect(probe.dimseStream).not.toBe(undefined)
  })

  it('keeps context IDs when they are added in ascending order', () => {
    const association = new LibraryAssociation('A', 'B')
    for (const id of [3, 9, 201]) association.addPresentationContext(verification, id)
    expect(association.getPresentationContexts().map((context) => context.id)).toEqual([3, 9, 201])
  })
})
