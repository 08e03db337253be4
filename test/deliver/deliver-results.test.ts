import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverResults } from '../../src/deliver/deliver-results.ts'
import { DicomwebServer } from '../../src/dicomweb/client.ts'
import { Archive, json, storeAnswer } from './archive.ts'
import { writeSmallObject } from './small-object.ts'

let folder: string
let archive: Archive
let destination: DicomwebServer
const noPauses = [0, 0]

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-deliver-'))
  archive = new Archive()
  destination = new DicomwebServer({
    url: await archive.start(),
    auth: { kind: 'bearer', token: 'secret' },
    timeoutMs: 2_000,
  })
})

afterEach(async () => {
  await destination.close()
  await archive.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('delivering results', () => {
  it('verifies an object by reading back the identical data set', async () => {
    const results = [writeSmallObject(folder, { number: 1 }), writeSmallObject(folder, { number: 2 })]
    const sent: string[][] = []
    const report = await deliverResults({
      destination,
      results,
      lookFirst: false,
      now: () => new Date('2026-02-03T04:05:06.000Z'),
      onSent: async (uids) => void sent.push(uids),
    })
    expect(report.instances.map((instance) => instance.state)).toEqual(['verified', 'verified'])
    expect(report.instances[0]).toMatchObject({
      proof: expect.stringMatching(
        /^listed by QIDO-RS and returned by WADO-RS with identical data set \([\d,]+ bytes, sha256 [0-9a-f]{12}…\) at 2026-02-03T04:05:06.000Z$/,
      ),
    })
    expect(sent).toEqual([results.map((result) => result.sopInstanceUID)])
    expect(archive.count('POST')).toBe(1)
    expect(new Set(archive.authorizations)).toEqual(new Set(['Bearer secret']))
  })

  it('reports a partly failed request per instance, with the reason in words', async () => {
    const results = [1, 2, 3].map((number) => writeSmallObject(folder, { number }))
    archive.onStore = (uids, res) => {
      const [good, refused, full] = uids as [string, string, string]
      archive.objects.set(good, Buffer.alloc(0))
      json(
        res,
        202,
        storeAnswer(
          [good],
          [
            { uid: refused, reason: 0x0122 },
            { uid: full, reason: 0xa700 },
          ],
        ),
      )
      return true
    }
    archive.onRead = () => false
    const report = await deliverResults({ destination, results, lookFirst: false, proofPauses: noPauses })
    expect(report.instances[1]).toEqual({
      sopInstanceUID: results[1]?.sopInstanceUID,
      state: 'failed',
      retry: 'permanent',
      error: 'refused by STOW-RS: the SOP class is not supported (0x0122)',
    })
    expect(report.instances[2]).toMatchObject({
      state: 'failed',
      retry: 'transient',
      error: 'refused by STOW-RS: out of resources (0xA700)',
    })
  })

  it('does not call an accepted object delivered while it is not listed', async () => {
    const results = [writeSmallObject(folder, { number: 1 })]
    archive.onStore = (uids, res) => {
      json(res, 200, storeAnswer(uids, []))
      return true
    }
    const report = await deliverResults({ destination, results, lookFirst: false, proofPauses: noPauses })
    expect(report.instances).toEqual([
      {
        sopInstanceUID: results[0]?.sopInstanceUID,
        state: 'sent',
        retry: 'transient',
        error: 'accepted by STOW-RS, but not listed by QIDO-RS',
      },
    ])
    expect(archive.count('GET')).toBe(3)
  })

  it('waits for an archive that lists objects a moment after it accepted them', async () => {
    let looks = 0
    archive.onRead = (_req, res) => {
      if (++looks > 1) return false
      json(res, 200, [])
      return true
    }
    const report = await deliverResults({
      destination,
      results: [writeSmallObject(folder, { number: 1 })],
      lookFirst: false,
      proofPauses: noPauses,
    })
    expect(report.instances[0]?.state).toBe('verified')
  })

  it('finds an object that was stored although the connection broke before the answer', async () => {
    const result = writeSmallObject(folder, { number: 1 })
    const stored = await deliverResults({ destination, results: [result], lookFirst: false })
    expect(stored.instances[0]?.state).toBe('verified')
    archive.onStore = (_uids, res) => {
      res.destroy()
      return true
    }
    const report = await deliverResults({ destination, results: [result], lookFirst: false })
    expect(report.instances[0]).toMatchObject({
      state: 'verified',
      proof: expect.stringContaining('the connection broke'),
    })
  })

  it('calls a connection that broke after sending ambiguous where the object is not there', async () => {
    archive.onStore = (_uids, res) => {
      res.destroy()
      return true
    }
    const report = await deliverResults({
      destination,
      results: [writeSmallObject(folder, { number: 1 })],
      lookFirst: false,
    })
    expect(report.instances[0]).toMatchObject({ state: 'failed', retry: 'ambiguous' })
  })

  it('does not send again what an earlier attempt has already stored', async () => {
    const results = [writeSmallObject(folder, { number: 1 }), writeSmallObject(folder, { number: 2 })]
    await deliverResults({ destination, results: results.slice(0, 1), lookFirst: false })
    archive.requests.length = 0
    const sent: string[][] = []
    const report = await deliverResults({
      destination,
      results,
      lookFirst: true,
      onSent: async (uids) => void sent.push(uids),
    })
    expect(report.instances.map((instance) => instance.state)).toEqual(['verified', 'verified'])
    expect(sent).toEqual([[results[1]?.sopInstanceUID]])
  })

  it('says what an archive has changed, by keyword and never by value', async () => {
    const result = writeSmallObject(folder, { number: 1 })
    archive.change = (bytes) => Buffer.from(bytes.toString('latin1').replace('TEST^OBJECT', 'KNOWN^JOHNX'), 'latin1')
    const report = await deliverResults({ destination, results: [result], lookFirst: false })
    expect(report.instances[0]).toMatchObject({
      state: 'verified',
      proof: expect.stringContaining('differing in PatientName'),
    })
    expect(JSON.stringify(report)).not.toContain('KNOWN')
  })

  it('fails where the archive returns another object under the UID', async () => {
    const result = writeSmallObject(folder, { number: 1 })
    archive.change = (bytes) =>
      Buffer.from(bytes.toString('latin1').replaceAll('2.25.31415926535.1', '2.25.31415926535.9'), 'latin1')
    const report = await deliverResults({ destination, results: [result], lookFirst: false })
    expect(report.instances[0]).toMatchObject({
      state: 'failed',
      retry: 'permanent',
      error: expect.stringContaining('StudyInstanceUID differ'),
    })
  })
})
