import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData } from '../support/data.ts'
import { adminToken, isSettled, NodeProcess, type Timeline } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'

const prostate = sharedData('mr-prostate-prostatex0207')
const pet = sharedData('pet-qin-headneck-0024.tar.xz')
const ready = available('storescu', 'xz', prostate, pet)

const routes = `routes:
  - name: kinetics
    inputs:
      dynamic:
        where: series.Modality == "MR" && series.SeriesDescription.contains("dyn")
        prefer: [{ lowest: series.SeriesNumber }]
        several: true
    pipeline: mr-prostate-kinetics
    outputs: { self: [wash-in] }
    destinations: [self]
  - name: radiomics
    inputs:
      images: { where: series.Modality == "PT" }
      segmentation: { where: series.Modality == "SEG", of: images }
    pipeline: any-radiomics
    destinations: [self]
`

interface Exported {
  id: number
  name: string
  size: number
  sha256: string
}

describe.skipIf(!ready)('routes whose inputs are more than one series', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-inputs-'))
  const config = path.join(folder, 'hilum.yaml')
  writeFileSync(config, routes)
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '1' }, config)

  beforeAll(async () => {
    execFileSync('tar', ['-xJf', pet ?? '', '-C', folder])
    await node.start()
  })
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  async function result(from: string, modality: string): Promise<{ uid: string; timeline: Timeline }> {
    const to = ['-aet', 'SCANNER', '-aec', 'HILUM', '127.0.0.1', String(node.dimsePort)]
    const sent = runProgram('storescu', ['-R', '-xt', '+sd', '+r', ...to, from])
    expect(sent.code, sent.output.slice(-2000)).toBe(0)
    const studies = await node.json<Record<string, { Value?: string[] }>[]>(
      `/dicomweb/studies?ModalitiesInStudy=${modality}`,
    )
    const uid = studies[0]?.['0020000D']?.Value?.[0] ?? ''
    return { uid, timeline: await node.until(uid, isSettled, { seconds: 240, what: 'the end of the study' }) }
  }
  const decided = ({ decisions }: Timeline, route: string) => decisions.find((decision) => decision.route === route)

  it('make one sequence of the four series of a dynamic study, and give a destination what it chose', async () => {
    const { timeline } = await result(prostate ?? '', 'MR')
    expect(decided(timeline, 'kinetics')).toMatchObject({ matched: true })
    expect(JSON.stringify(decided(timeline, 'kinetics'))).toContain('and 3 more, all that satisfy the condition')
    const attempt = timeline.jobs.find((job) => job.kind === 'infer')?.attempts.at(-1)
    expect(attempt?.error).toBeNull()
    expect(timeline.results).toHaveLength(1)
    expect(timeline.results[0]?.deliveries.map(({ state }) => state)).toEqual(['verified'])
    expect(timeline.state).toBe('done')
  })

  it('take the segmentation that refers to the images, and keep what is for export', async () => {
    const { uid, timeline } = await result(path.join(folder, 'rsna_2'), 'PT')
    expect(decided(timeline, 'radiomics')).toMatchObject({ matched: true })
    expect(timeline.jobs.find((job) => job.kind === 'infer')?.attempts.at(-1)?.error).toBeNull()
    expect(timeline.results.map(({ modality }) => modality)).toEqual(['SR'])
    const { exports } = await node.json<{ exports: Exported[] }>(`/api/studies/${uid}/exports`)
    expect(exports.map(({ name }) => path.extname(name))).toEqual(['.json'])
    const answer = await fetch(`${node.url}/api/exports/${exports[0]?.id}`, {
      headers: { authorization: `Bearer ${adminToken}` },
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(exports[0]?.sha256)
    expect(() => JSON.parse(bytes.toString('utf8'))).not.toThrow()
  })
})
