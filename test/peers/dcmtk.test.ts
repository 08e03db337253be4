import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { echo, sendInstances } from '../../src/dimse/send.ts'
import { silentLog } from '../../src/log.ts'
import { receiverDefaults } from '../../src/receive/receiver-options.ts'
import { ReceiverProcess, type ReceptionEvent } from '../../src/receive/receiver-process.ts'
import { repository, sharedData } from '../support/data.ts'
import { available, runProgram } from '../support/programs.ts'

const chest = sharedData('ct-chest-nlst')
const entry = path.join(repository, 'dist', 'receive', 'receiver.js')
const ready = available('storescu', 'echoscu', 'storescp') && existsSync(entry)

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => path.join(found.parentPath, found.name))
}

/** SOP Instance UID to data set bytes and transfer syntax, of every file that is DICOM. */
function dataSetsOf(files: string[]): Map<string, { bytes: Buffer; transferSyntaxUID: string }> {
  const found = new Map<string, { bytes: Buffer; transferSyntaxUID: string }>()
  for (const file of files) {
    const bytes = readFileSync(file)
    const meta = parseFileMeta(bytes)
    found.set(meta.mediaStorageSOPInstanceUID, {
      bytes: bytes.subarray(meta.dataSetOffset),
      transferSyntaxUID: meta.transferSyntaxUID,
    })
  }
  return found
}

describe.skipIf(!ready)('real peers', () => {
  let dataDir = ''
  let receiver: ReceiverProcess
  let events: ReceptionEvent[] = []
  const received = () => events.flatMap((event) => (event.kind === 'received' ? event.instances : []))
  const incoming = () => filesUnder(path.join(dataDir, 'incoming'))
  const here = () => ['127.0.0.1', String(receiver.port)]

  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-dcmtk-'))
    events = []
    receiver = new ReceiverProcess(
      { ...receiverDefaults, aeTitle: 'HILUM', host: '127.0.0.1', port: 0, dataDir, minimumFreeBytes: 0 },
      { log: silentLog, entry, onEvent: (event) => events.push(event), onLost: () => undefined },
    )
    await receiver.start()
  })
  afterEach(async () => {
    await receiver.stop(0)
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('are answered to C-ECHO', async () => {
    for (const args of [
      ['-aec', 'HILUM'],
      ['-aec', 'HILUM', '-pdu', '4096'],
      ['-aec', 'HILUM', '--repeat', '20'],
    ])
      expect(runProgram('echoscu', [...args, ...here()])).toMatchObject({ code: 0 })
    const refused = runProgram('echoscu', ['-v', '-aec', 'OTHER', ...here()])
    expect(refused.output).toContain('Called AE Title Not Recognized')
  })

  it.skipIf(chest === null)('storescu sends a study of several folders and syntaxes', async () => {
    // Without -R it proposes the 128 contexts that it thinks of first, and 3D SR is not among their classes.
    const sent = runProgram('storescu', ['-aec', 'HILUM', '-xt', '-R', ...here(), '+sd', '+r', chest as string])
    expect(sent).toMatchObject({ code: 0 })
    await receiver.stop(1000)
    expectSameDataSets(filesUnder(chest as string), incoming())
    expect(received()).toHaveLength(filesUnder(chest as string).length)
    expect(events.find((event) => event.kind === 'association-closed')).toMatchObject({ how: 'released' })
  })

  it.skipIf(chest === null)('several storescu send at a time', async () => {
    const files = filesUnder(chest as string).slice(0, 60)
    const parts = [0, 1, 2].map((n) => files.filter((_, index) => index % 3 === n))
    const codes = parts.map(async (part) => {
      const child = spawn('storescu', ['-aec', 'HILUM', '-xt', ...here(), ...part], { stdio: 'ignore' })
      const [code] = (await once(child, 'exit')) as [number]
      return code
    })
    expect(await Promise.all(codes)).toEqual([0, 0, 0])
    await receiver.stop(1000)
    expectSameDataSets(files, incoming())
  })

  it.skipIf(chest === null)('gets our own sender’s bytes: storescp +B keeps what we have', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hilum-storescp-'))
    const { child, port } = await startStorescp(folder)
    try {
      const files = filesUnder(chest as string).slice(0, 20)
      expect(await echo({ host: '127.0.0.1', port, callingAETitle: 'HILUM', calledAETitle: 'ANY' })).toMatchObject({
        status: 0,
      })
      const report = await sendInstances({
        host: '127.0.0.1',
        port,
        callingAETitle: 'HILUM',
        calledAETitle: 'ANY',
        files,
      })
      expect(report.files.filter((file) => file.status !== 0)).toEqual([])
      expectSameDataSets(files, filesUnder(folder))
    } finally {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it.skipIf(chest === null)('and our own sender’s bytes arrive here', async () => {
    const files = filesUnder(chest as string)
    const to = { host: '127.0.0.1', port: receiver.port, callingAETitle: 'SENDER', calledAETitle: 'HILUM' }
    const report = await sendInstances({ ...to, files })
    expect(report.files.filter((file) => file.status !== 0)).toEqual([])
    await receiver.stop(1000)
    expectSameDataSets(files, incoming())
  })
})

function expectSameDataSets(sent: string[], kept: string[]): void {
  const [theirs, ours] = [dataSetsOf(sent), dataSetsOf(kept)]
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort())
  for (const [uid, { bytes, transferSyntaxUID }] of theirs) {
    const found = ours.get(uid)
    expect(found?.transferSyntaxUID, uid).toBe(transferSyntaxUID)
    expect(found?.bytes.equals(bytes), `${uid} is not the same, byte for byte`).toBe(true)
  }
}

async function startStorescp(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const child = spawn('storescp', ['+B', '+xa', '-od', folder, String(port)], { stdio: 'ignore' })
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const reached = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (reached) return { child, port }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
