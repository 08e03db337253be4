import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, type WritePhantomOptions, writePhantom } from '../support/phantom.ts'

/** Isotropic, so that a sagittal series of the same voxels lies within the pipeline's limits as well. */
const phantom = chestPhantom({
  slices: 150,
  rows: 180,
  columns: 180,
  spacing: { row: 2, column: 2, slice: 2 },
})

const series: Record<string, WritePhantomOptions> = {
  'axial, explicit VR': {},
  'axial, reversed slice order': { reversed: true },
  sagittal: { orientation: 'sagittal' },
  'implicit VR': { transferSyntaxUID: TS.implicitVRLittleEndian },
  'big endian': { transferSyntaxUID: TS.explicitVRBigEndian },
  deflated: { transferSyntaxUID: TS.deflated },
  RLE: { transferSyntaxUID: TS.rle },
  'JPEG-LS': { transferSyntaxUID: TS.jpegLSLossless },
  'JPEG 2000': { transferSyntaxUID: TS.jpeg2000Lossless },
  HTJ2K: { transferSyntaxUID: TS.htj2kLossless },
}

describe('a phantom of known geometry, sent to a node', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-phantoms-'))
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.2' })
  const values: Record<string, Record<string, number>> = {}

  beforeAll(async () => {
    await node.start()
    for (const [name, options] of Object.entries(series)) values[name] = await findingsOf(name, options)
  }, 600_000)
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  async function findingsOf(name: string, options: WritePhantomOptions): Promise<Record<string, number>> {
    const files = await writePhantom(path.join(folder, name), phantom, { ...options, identity: name })
    const report = await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'PHANTOM',
      calledAETitle: 'HILUM',
      files,
    })
    expect(report.stored, name).toBe(files.length)
    const study = textOf((await readInstanceFile(files[0] ?? '')).elements, 'StudyInstanceUID') ?? ''
    const timeline = await node.until(study, isSettled, { seconds: 120, what: `the results of ${name}` })
    expect(timeline.state, `${name}: ${JSON.stringify(timeline.jobs)}`).toBe('done')
    return Object.fromEntries(timeline.findings.map((finding) => [finding.name, finding.value]))
  }

  it('has volumes within 1 % of the analytic ones', () => {
    const found = values['axial, explicit VR'] ?? {}
    const { left, right, total } = phantom.truth.volumes
    expect(Math.abs((found['Total lung volume'] ?? 0) / total - 1)).toBeLessThan(0.01)
    expect(Math.abs((found['Left lung volume'] ?? 0) / left - 1)).toBeLessThan(0.01)
    expect(Math.abs((found['Right lung volume'] ?? 0) / right - 1)).toBeLessThan(0.01)
  })

  it('has a LAA-950 within half a point of the analytic one', () => {
    expect(Math.abs((values['axial, explicit VR']?.['LAA-950'] ?? 0) - phantom.truth.laa950)).toBeLessThan(0.5)
  })

  it.each(Object.keys(series).slice(1))('gives the very same values: %s', (name) => {
    expect(values[name]).toEqual(values['axial, explicit VR'])
  })
})
