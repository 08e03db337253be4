import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { encodeVerifiedReport } from '../../src/encode/verified-report.ts'
import { lungResults } from '../encode/lung-results.ts'
import { bytesOf } from '../encode/synthetic.ts'
import { acceptanceTool, available, runProgram } from '../support/programs.ts'
import { validate } from '../support/results.ts'
import { writeSourceInstances } from '../support/source-instances.ts'

const ready = available('/usr/bin/python3', 'dciodvfy', 'dsrdump', 'java', acceptanceTool('validate.py'))

describe.skipIf(!ready)('the outside validators', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'hilum-verified-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it.each([
    ['a code for the observer', 'Roe^Jane', { value: 'jroe', scheme: '99X', meaning: 'Jane Roe' }],
    ['a name beyond ASCII, without a code', '山田^太郎', null],
  ])('find nothing to fault in verified reports with %s', async (kind, name, identification) => {
    const [source, results] = ['source', 'results'].map((part) => path.join(root, kind.replaceAll(/\W+/g, '-'), part))
    for (const folder of [source, results]) mkdirSync(folder ?? '', { recursive: true })
    const input = await writeSourceInstances(source ?? '', { slices: 3 })
    const observer = { name, organisation: 'St. Elsewhere', identification }
    for (const object of lungResults(input)) {
      const file = path.join(results ?? '', `${object.role}.dcm`)
      writeFileSync(file, bytesOf(object))
      if (object.modality !== 'SR') continue
      const { elements } = await readInstanceFile(file)
      const { role } = object
      const verified = encodeVerifiedReport({
        document: elements,
        role,
        sha256: '0',
        observer,
        at: '2026-11-21T13:30:00.500Z',
      })
      const written = path.join(results ?? '', `${verified.role}.dcm`)
      writeFileSync(written, bytesOf(verified))
      const dumped = runProgram('dsrdump', [written])
      expect(dumped.output).not.toMatch(/error/i)
      expect(dumped.output).toMatch(/VERIFIED/)
    }
    expect(validate(source ?? '', results ?? '', { templates: identification !== null }).output.trim()).toBe(
      '7 objects (SEG, SR), 0 failures',
    )
  })
})
