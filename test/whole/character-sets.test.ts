import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { repository, sharedData } from '../support/data.ts'
import { NodeProcess } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'

type Name = Partial<Record<'Alphabetic' | 'Ideographic' | 'Phonetic', string>>
type Texts = { [tag: string]: (string | Name | Texts)[] }

/** What `character-sets.py` prints of an instance. */
interface Written {
  file: string
  study: string
  terms: (string | null)[]
  texts: Texts
  warnings: string[]
}

interface Study {
  studyInstanceUID: string
  patientName: string | null
  patientNameIdeographic: string | null
  patientNamePhonetic: string | null
}

const textVRs = new Set(['PN', 'LO', 'SH', 'ST', 'LT', 'UT', 'UC'])

function textsOf(elements: DicomJson): Texts {
  const texts: Texts = {}
  for (const [tag, { vr, Value }] of Object.entries(elements)) {
    if (Number.parseInt(tag.slice(0, 4), 16) % 2 === 1) continue
    if (vr === 'SQ') texts[tag] = (Value ?? []).map((item) => textsOf(item as DicomJson))
    else if (textVRs.has(vr) && Value) texts[tag] = Value as (string | Name)[]
  }
  return texts
}

const files = sharedData('syntaxes', 'pydicom', 'charset_files')

describe.skipIf(!available(files, '/usr/bin/python3', 'storescu'))('text in every character set', () => {
  const node = new NodeProcess({ HILUM_ASSEMBLE_QUIET: '600', HILUM_ASSEMBLE_RELEASE: '600' })
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-character-sets-'))
  let all: Written[] = []
  const idOf = ({ file }: Written) => path.basename(file, '.dcm')
  const named = (id: string) => all.find((written) => idOf(written) === id) as Written

  beforeAll(async () => {
    const sources = readdirSync(files ?? '').map((file) => path.join(files ?? '', file))
    const script = path.join(repository, 'test', 'whole', 'character-sets.py')
    const written = runProgram('python3', [script, folder, ...sources])
    if (written.code !== 0) throw new Error(written.output)
    all = written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Written)
    // Where pydicom is not followed: what nobody says is UTF-8 it reads as Latin-1, and of ISO 2022 IR 58 it keeps the escape sequences.
    named('missing-utf8').texts['00100010'] = [{ Alphabetic: 'Müller^Jürgen' }]
    named('ext58').texts['00100010'] = [{ Alphabetic: 'Zhang^XiaoDong', Ideographic: '张^小东' }]
    await node.start()
    const { dimsePort } = node
    const sent = runProgram('storescu', ['-aec', 'HILUM', '127.0.0.1', String(dimsePort), '+sd', folder])
    if (sent.code !== 0) throw new Error(sent.output)
    for (const { study } of all) await node.until(study, ({ instances }) => instances === 1)
  })
  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const groupsOf = ({ texts }: Written) => (texts['00100010']?.[0] ?? {}) as Name

  it('is in QIDO-RS what pydicom reads', async () => {
    const studies = await node.json<DicomJson[]>('/dicomweb/studies?limit=200')
    const names = studies.map((study) => [study['00100020']?.Value?.[0], study['00100010']?.Value ?? []])
    const expected = all.map((written) => [idOf(written), written.texts['00100010'] ?? []])
    expect(Object.fromEntries(names)).toEqual(Object.fromEntries(expected))
    expect(studies.every((study) => study['00080005']?.Value?.[0] === 'ISO_IR 192')).toBe(true)
  })

  it('is in the metadata what pydicom reads, in sequences too', async () => {
    for (const written of all) {
      const [metadata] = await node.json<DicomJson[]>(`/dicomweb/studies/${written.study}/metadata`)
      expect(textsOf(metadata ?? {}), idOf(written)).toEqual(written.texts)
    }
  })

  it('is in the lists and timelines what pydicom reads', async () => {
    const { studies } = await node.json<{ studies: Study[] }>('/api/studies?limit=200')
    for (const written of all) {
      const { Alphabetic = null, Ideographic = null, Phonetic = null } = groupsOf(written)
      const shown = {
        patientName: Alphabetic ?? Ideographic ?? Phonetic,
        patientNameIdeographic: Ideographic,
        patientNamePhonetic: Phonetic,
      }
      const listed = studies.find(({ studyInstanceUID }) => studyInstanceUID === written.study)
      expect(listed, idOf(written)).toMatchObject(shown)
      const timeline = await node.json<{ patient: Study }>(`/api/studies/${written.study}`)
      expect(timeline.patient, idOf(written)).toMatchObject(shown)
    }
  })

  it('is found, in any case of letters and by any group of a name', async () => {
    for (const written of all) {
      for (const group of Object.values(groupsOf(written))) {
        for (const name of [group, `${group.toLowerCase().split('^')[0]}*`]) {
          const found = await node.json<DicomJson[]>(`/dicomweb/studies?PatientName=${encodeURIComponent(name)}`)
          const ids = found.map((study) => study['00100020']?.Value?.[0])
          expect(ids, `${idOf(written)}: ${name}`).toContain(idOf(written))
        }
        const found = await node.json<{ studies: Study[] }>(
          `/api/studies?search=${encodeURIComponent(group.toUpperCase())}`,
        )
        expect(found.studies.map((study) => study.studyInstanceUID)).toContain(written.study)
      }
    }
    expect(await node.json('/dicomweb/studies?PatientName=%E7%8E%8B%5E%E5%A4%A7*')).toEqual([])
  })

  it('is remarked upon where it had to be guessed at, or cannot be read', async () => {
    const remarks: Record<string, string[]> = {}
    for (const written of all) {
      const { events } = await node.json<{ events: { kind: string; sentence: string }[] }>(
        `/api/studies/${written.study}`,
      )
      const told = events.filter(({ kind }) => kind === 'character-set').map(({ sentence }) => sentence)
      if (told.length > 0) remarks[idOf(written)] = told
    }
    const guess = 'text beyond ASCII is taken for UTF-8 where it is that, else for Latin-1'
    expect(remarks).toEqual({
      'missing-latin1': [`Specific Character Set is missing: ${guess}`],
      'missing-utf8': [`Specific Character Set is missing: ${guess}`],
      unknown: [`Specific Character Set names ISO_IR 999, which is no defined term: ${guess}`],
      'not-utf8': [
        'Some text is not in the character set that Specific Character Set names (ISO_IR 192): what cannot be read of it is shown as \ufffd',
      ],
    })
  })

  it('is stored as it came', async () => {
    for (const { file, study } of all) {
      const response = await node.fetch(`/dicomweb/studies/${study}/series/${study}.1/instances/${study}.1.1`, {
        headers: { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
      })
      const stored = Buffer.from(await response.arrayBuffer())
      const sent = readFileSync(file)
      expect(stored.includes(sent.subarray(parseFileMeta(sent).dataSetOffset)), file).toBe(true)
    }
  })
})
