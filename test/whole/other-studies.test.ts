import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData } from '../support/data.ts'
import { isSettled, NodeProcess, type Timeline } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'

const prostate = sharedData('mr-prostate-prostatex0207')
const pet = sharedData('pet-qin-headneck-0024.tar.xz')
const abdomen = sharedData('ct-abdomen-crlm1004.tar.xz')
const ready = available('storescu', 'xz', prostate, pet, abdomen)

describe.skipIf(!ready)('studies that are not a thin chest CT', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-other-'))
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '1' })

  beforeAll(async () => {
    for (const archive of [pet, abdomen]) execFileSync('tar', ['-xJf', archive ?? '', '-C', folder])
    await node.start()
  })
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const send = (from: string): void => {
    const done = runProgram('storescu', [
      '-R',
      '-xt',
      '+sd',
      '+r',
      '-aet',
      'SCANNER',
      '-aec',
      'HILUM',
      '127.0.0.1',
      String(node.dimsePort),
      from,
    ])
    expect(done.code, done.output.slice(-2000)).toBe(0)
  }
  const only = async (modality: string): Promise<Timeline> => {
    const studies = await node.json<Record<string, { Value?: string[] }>[]>(
      `/dicomweb/studies?ModalitiesInStudy=${modality}`,
    )
    expect(studies).toHaveLength(1)
    return node.until(studies[0]?.['0020000D']?.Value?.[0] ?? '', isSettled, {
      seconds: 120,
      what: 'the end of the study',
    })
  }

  it('receives the prostate MR whole and says by value why no lung result comes', async () => {
    send(prostate ?? '')
    const timeline = await only('MR')
    expect(timeline.instances).toBe(251)
    expect(timeline.results).toEqual([])
    expect(timeline.decisions).toHaveLength(1)
    expect(timeline.decisions[0]).toMatchObject({
      route: 'lung-density',
      matched: false,
      because: { 'series.Modality': 'MR' },
    })
  })

  it('receives the PET whole and says by value why no lung result comes', async () => {
    const root = path.join(folder, 'rsna_2')
    send(root)
    const timeline = await only('PT')
    expect(timeline.instances).toBe(300)
    expect(timeline.results).toEqual([])
    expect(timeline.decisions[0]?.matched).toBe(false)
    expect(JSON.stringify(timeline.decisions[0]?.because)).toContain('PT')
  })

  it('refuses the 5 mm CT by the declared limit, and shows limit and value', async () => {
    send(path.join(folder, 'ct_images_seg', 'CRLM-CT-1004', 'image'))
    const timeline = await only('CT')
    expect(timeline.instances).toBe(41)
    expect(timeline.results).toEqual([])
    const job = timeline.jobs.find((j) => j.kind === 'infer')
    expect(job?.refused).toBe(true)
    expect(job?.attempts.at(-1)?.error).toMatch(/Slice Thickness is 5 mm, at most 3 mm is accepted/)
    expect(timeline.state).toBe('done')
  })
})
