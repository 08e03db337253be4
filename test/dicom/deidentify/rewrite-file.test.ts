import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf, textsOf } from '../../../src/dicom/dataset.ts'
import { Deidentification } from '../../../src/dicom/deidentify/deidentification.ts'
import { rewriteFile } from '../../../src/dicom/deidentify/rewrite-file.ts'
import type { DicomJson } from '../../../src/dicom/dicom-json.ts'
import { keywordOf } from '../../../src/dicom/dictionary.ts'
import { type InstanceFile, locateFrames, readFrame, readInstanceFile } from '../../../src/dicom/instance-file.ts'
import { TS } from '../../../src/dicom/transfer-syntax.ts'
import { sharedData } from '../../support/data.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-deidentify-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What names the patient, the order and the objects in a file: long enough not to be there by chance. */
function secretsOf(elements: DicomJson): string[] {
  const secrets: string[] = []
  for (const [tag, { vr, Value = [] }] of Object.entries(elements)) {
    if (vr === 'SQ') for (const item of Value) secrets.push(...secretsOf(item as DicomJson))
    const keyword = keywordOf(tag) ?? ''
    const secret =
      vr === 'PN' ||
      /^(PatientID|AccessionNumber|StudyInstanceUID|SeriesInstanceUID|SOPInstanceUID|ReferencedSOPInstanceUID)$/.test(
        keyword,
      )
    if (secret)
      secrets.push(...Value.flatMap((v) => (typeof v === 'string' ? [v] : Object.values(v ?? {}).map(String))))
  }
  return secrets.filter((s) => s.length >= 5 && !/^anonym/i.test(s) && !s.startsWith('1.2.840.10008.'))
}

/** A digest of each frame. */
async function framesOf(file: InstanceFile): Promise<string[]> {
  const frames = await locateFrames(file)
  return Promise.all(
    frames.map(async (frame) =>
      createHash('sha256')
        .update(await readFrame(file, frame))
        .digest('hex'),
    ),
  )
}

async function filesOf(...parts: string[]): Promise<string[]> {
  const root = sharedData(...parts)
  if (root === null) return []
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.filter((e) => e.isFile()).map((e) => path.join(e.parentPath, e.name))
}

/** Null for what is no whole DICOM file: there are such among them on purpose. */
async function readable(file: string): Promise<InstanceFile | null> {
  const found = await readInstanceFile(file).catch(() => null)
  const { offset = 0, length = 0 } = found?.pixelData ?? {}
  return found && offset + (length ?? 0) <= found.size ? found : null
}

const hasData = sharedData('syntaxes', 'pydicom') !== null

describe.runIf(hasData)('files of every kind', () => {
  it.each([
    ['syntaxes/pydicom/test_files', 60],
    ['syntaxes/cornerstone', 15],
    ['syntaxes/dcm4che', 4],
    ['modalities/us-burned-in-deid-data', 1],
    ['objects/highdicom', 10],
  ] as const)('of %s are rewritten without their identity, with their pixels, and back', async (place, atLeast) => {
    let rewritten = 0
    for (const source of await filesOf(...place.split('/'))) {
      const given = await readable(source)
      if (!given || !textOf(given.elements, 'SOPInstanceUID') || !textOf(given.elements, 'StudyInstanceUID')) continue
      const target = path.join(folder, `${rewritten++}.dcm`)
      const deidentification = new Deidentification()
      await rewriteFile(source, target, (elements) => deidentification.deidentify(elements))
      const bytes = await readFile(target)
      const told = await readInstanceFile(target)
      const header = bytes.toString('latin1', 0, told.pixelData?.offset ?? bytes.length)
      for (const secret of secretsOf(given.elements))
        expect([source, secret, header.includes(secret)]).toEqual([source, secret, false])
      const deflated = given.transferSyntaxUID === TS.deflated
      expect(told.transferSyntaxUID).toBe(deflated ? TS.explicitVRLittleEndian : given.transferSyntaxUID)
      const frames = await framesOf(given).catch(() => null)
      if (frames) expect(await framesOf(told)).toEqual(frames)
      const back = `${target}.back`
      await rewriteFile(target, back, (elements) => deidentification.reidentify(elements))
      const restored = (await readInstanceFile(back)).elements
      for (const keyword of [
        'PatientName',
        'PatientID',
        'SOPInstanceUID',
        'StudyInstanceUID',
        'AccessionNumber',
        'StudyDate',
        'SeriesInstanceUID',
      ])
        expect([source, keyword, textsOf(restored, keyword)]).toEqual([
          source,
          keyword,
          textsOf(given.elements, keyword),
        ])
      await rm(target)
      await rm(back)
    }
    expect(rewritten).toBeGreaterThanOrEqual(atLeast)
  })
})
