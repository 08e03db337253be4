import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'

describe('a node that is stopped', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-shutdown-'))
  const phantom = chestPhantom({ slices: 301, rows: 256, columns: 256 })
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.2' })
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('finishes or parks what is in flight, exits with 0, and goes on at the next start', async () => {
    const files = await writePhantom(folder, phantom, { without: [300] })
    const study = textOf((await readInstanceFile(files[0] ?? '')).elements, 'StudyInstanceUID') ?? ''
    await node.start()
    const report = await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'CT1',
      calledAETitle: 'HILUM',
      files,
    })
    expect(report.stored).toBe(300)
    await node.until(study, (timeline) => timeline.jobs.length > 0, { what: 'a job' })
    expect(await node.stop()).toBe(0)
    await node.start()
    const timeline = await node.until(study, isSettled, { what: 'the end of the study' })
    expect(timeline.state).toBe('done')
    expect(timeline.revision).toBe(1)
    expect(timeline.jobs.filter((job) => job.kind === 'infer')).toHaveLength(1)
    expect(timeline.results.filter((result) => result.modality === 'SEG')).toHaveLength(1)
  })

  it('makes another revision of a late instance, whose results supersede the earlier ones', async () => {
    const late = await writePhantom(path.join(folder, 'late'), phantom)
    const added = late.at(-1) ?? ''
    const study = textOf((await readInstanceFile(added)).elements, 'StudyInstanceUID') ?? ''
    const first = await node.until(study, isSettled)
    await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'CT1',
      calledAETitle: 'HILUM',
      files: [added],
    })
    const timeline = await node.until(study, (t) => t.revision === 2 && isSettled(t), { what: 'a second revision' })
    expect(timeline.instances).toBe(301)
    expect(timeline.state).toBe('done')
    const supersedes = timeline.results.map((result) => result.supersedes).filter((uid) => uid !== null)
    expect(supersedes.sort()).toEqual(first.results.map((result) => result.sopInstanceUID).sort())
  })
})
