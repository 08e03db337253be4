import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData } from '../support/data.ts'
import { adminToken, isSettled, NodeProcess, type Timeline } from '../support/node-process.ts'
import { type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { acceptanceTool, available, runProgram } from '../support/programs.ts'
import { countVoxels, downloadResults, validate } from '../support/results.ts'

const nlst = sharedData('ct-chest-nlst')
const study = '1.2.840.113654.2.55.242841386983064378162007136685545369722'
const ready = available(
  'storescu',
  'dcmdjpls',
  'Orthanc',
  'dciodvfy',
  'java',
  '/usr/bin/chromium',
  acceptanceTool('validate.py'),
  nlst,
)

describe.skipIf(!ready)('a real chest CT, sent by dcmtk, with a real Orthanc as second destination', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-main-'))
  const source = path.join(nlst ?? '', readdirSync(nlst ?? '.').find((name) => name.startsWith('CT_')) ?? '')
  let orthanc: OrthancProcess
  let node: NodeProcess
  let timeline: Timeline

  beforeAll(async () => {
    orthanc = await startOrthanc({ user: 'hilum', password: 'for-tests' })
    const config = path.join(folder, 'hilum.yaml')
    writeFileSync(config, configuration(orthanc))
    node = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '1' }, config).start()
  })

  afterAll(async () => {
    await node?.dispose()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is received whole over an association with JPEG-LS proposals and leads to verified results at both destinations', async () => {
    const sent = runProgram('storescu', [
      '-xt',
      '+sd',
      '-aet',
      'CT1',
      '-aec',
      'HILUM',
      '127.0.0.1',
      String(node.dimsePort),
      source,
    ])
    expect(sent.output).not.toContain('E:')
    expect(sent.code).toBe(0)
    timeline = await node.until(study, isSettled, { seconds: 240, what: 'the end of the study' })
    expect(timeline.state).toBe('done')
    expect(timeline.instances).toBe(143)
    expect(timeline.revision).toBe(1)
    expect(timeline.completion?.reason).toContain('association release')
    expect(timeline.results.map((r) => r.modality).sort()).toEqual(expect.arrayContaining(['SEG', 'SR']))
    for (const result of timeline.results) {
      expect(result.deliveries.map((d) => `${d.destination} ${d.state}`).sort()).toEqual([
        'orthanc verified',
        'self verified',
      ])
      for (const delivery of result.deliveries) expect(delivery.proof).toMatch(/QIDO-RS/)
    }
    const total = timeline.findings.find((f) => f.name === 'Total lung volume')
    expect(total?.value).toBeGreaterThan(2)
    expect(total?.value).toBeLessThan(9)
  })

  it('leaves nothing for the outside validators to fault', async () => {
    await downloadResults(node, study, timeline, path.join(folder, 'results'))
    const verdict = validate(source, path.join(folder, 'results'))
    expect(verdict.output).toMatch(/, 0 failures\s*$/)
    expect(verdict.code).toBe(0)
  })

  it('holds in the SEG the volumes that the findings report', () => {
    const seg = path.join(
      folder,
      'results',
      readdirSync(path.join(folder, 'results')).find((f) => f.endsWith('SEG.dcm')) ?? '',
    )
    const counts = countVoxels(seg)
    writeFileSync(path.join(folder, 'counts.json'), JSON.stringify(counts))
    expect(Object.values(counts).map((c) => c.label)).toEqual(['Left lung', 'Right lung'])
    for (const { voxels } of Object.values(counts)) expect(voxels).toBeGreaterThan(1_000_000)
  })

  it('shows in OHIF, in a real browser, the segmentation voxel for voxel and every report', () => {
    const seg = timeline.results.find((r) => r.modality === 'SEG')
    const out = path.join(folder, 'screens')
    const shown = runProgram('node', [
      acceptanceTool('ohif.mjs'),
      node.url,
      study,
      '--seg',
      seg?.seriesInstanceUID ?? '',
      '--expect',
      path.join(folder, 'counts.json'),
      '--token',
      adminToken,
      '--out',
      out,
    ])
    expect(shown.output).toContain('all shown')
    for (const report of timeline.results.filter((r) => r.modality === 'SR')) {
      const opened = runProgram('node', [
        acceptanceTool('ohif.mjs'),
        node.url,
        study,
        '--sr',
        report.seriesInstanceUID,
        '--token',
        adminToken,
        '--out',
        out,
      ])
      expect(opened.output).toContain('all shown')
    }
  })

  it('gives the very same values for the series sent uncompressed, without any proposals', async () => {
    const plain = path.join(folder, 'plain')
    mkdirSync(plain)
    for (const name of readdirSync(source)) {
      expect(runProgram('dcmdjpls', [path.join(source, name), path.join(plain, name)]).code).toBe(0)
    }
    const other = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '1' }).start()
    try {
      const sent = runProgram('storescu', ['+sd', '-aec', 'HILUM', '127.0.0.1', String(other.dimsePort), plain])
      expect(sent.code, sent.output.slice(-2000)).toBe(0)
      const same = await other.until(study, isSettled, { seconds: 240, what: 'the end of the study' })
      expect(same.results.map((r) => r.deliveries.map((d) => d.state))).toEqual(
        timeline.results.map(() => ['verified']),
      )
      expect(same.findings).toEqual(timeline.findings)
    } finally {
      await other.dispose()
    }
  })

  it('changes nothing when the same study comes again', async () => {
    const again = runProgram('storescu', [
      '-xt',
      '+sd',
      '-aet',
      'CT1',
      '-aec',
      'HILUM',
      '127.0.0.1',
      String(node.dimsePort),
      source,
    ])
    expect(again.code).toBe(0)
    const after = await node.until(study, (t) => t.arrivals.reduce((n, a) => n + a.identical, 0) === 143, {
      what: '143 identical instances',
    })
    expect(after.revision).toBe(1)
    expect(after.jobs.filter((j) => j.kind === 'infer')).toHaveLength(1)
  })
})

function configuration(orthanc: OrthancProcess): string {
  return `destinations:
  self: { kind: self }
  orthanc:
    kind: stow-rs
    url: ${orthanc.url}/dicom-web
    auth: { kind: basic, username: hilum, password: for-tests }
routes:
  - name: lung-density
    inputs:
      ct:
        where: series.Modality == "CT" && series.instances >= 20 && !("LOCALIZER" in series.ImageType)
        prefer: [thinnest-slices, most-instances]
    pipeline: ct-lung-density
    destinations: [self, orthanc]
`
}
