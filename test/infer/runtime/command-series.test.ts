import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../../src/dicom/instance-file.ts'
import { openCommand } from '../../../src/infer/runtime/command.ts'
import { type CommandOptions, modelOptions } from '../../../src/infer/runtime/options.ts'
import { ctSlice, writePart10 } from '../../support/part10-file.ts'
import { modelContext, using } from './contexts.ts'

let folder: string
const instances: string[] = []
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hilum-series-'))
  for (const number of [1, 2]) {
    const file = path.join(folder, `slice-${number}.dcm`)
    writePart10(file, ctSlice({ InstanceNumber: number, PatientName: 'Secret^Name', PatientID: 'SECRET-1' }))
    instances.push(file)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function options(script: string, more: Record<string, unknown> = {}): CommandOptions {
  const head = 'const [input, output] = process.argv.slice(1); const fs = require("node:fs");'
  return modelOptions.parse({
    runtime: 'command',
    command: [process.execPath, '-e', head + script, '{in}', '{out}'],
    series: ['ct'],
    onMissingIsolation: 'record',
    ...more,
  }) as CommandOptions
}

const context = (more: object) =>
  modelContext(folder, { instancesOf: (name) => (name === 'ct' ? instances : []), ...more })

describe('a program that takes instances', () => {
  it('finds them without their identity, and what it returns has it again', async () => {
    const returnsFolder = path.join(folder, 'returned')
    await mkdir(returnsFolder)
    const script = `
      const files = fs.readdirSync(input + '/ct').sort()
      const told = files.filter((file) => /secret/i.test(fs.readFileSync(input + '/ct/' + file, 'latin1')))
      fs.writeFileSync(output + '/n.json', JSON.stringify([files.length, told.length, files[0] === '0001.dcm' ? 1 : 0]))
      fs.copyFileSync(input + '/ct/0002.dcm', output + '/copy.dcm')`
    const { n } = await using(openCommand(options(script), context({ returnsFolder })), (model) => model.run({}, ['n']))
    expect([...(n?.data ?? [])]).toEqual([2, 0, 1])
    expect(await readdir(returnsFolder)).toEqual(['0001.dcm'])
    const [returned, source] = await Promise.all(
      [path.join(returnsFolder, '0001.dcm'), instances[1] as string].map((file) => readInstanceFile(file)),
    )
    for (const keyword of [
      'PatientName',
      'PatientID',
      'StudyInstanceUID',
      'SOPInstanceUID',
      'StudyDate',
      'AccessionNumber',
    ])
      expect(textOf(returned?.elements ?? {}, keyword)).toBe(textOf(source?.elements ?? {}, keyword))
  })

  it('is not handed instances whose pixels show who it is', async () => {
    const file = path.join(folder, 'burned.dcm')
    writePart10(file, ctSlice({ BurnedInAnnotation: 'YES' }))
    const running = (more: Record<string, unknown>) =>
      using(
        openCommand(
          options("fs.writeFileSync(output + '/n.json', '[1]')", more),
          context({ instancesOf: () => [file] }),
        ),
        (model) => model.run({}, ['n']),
      )
    await expect(running({})).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('Burned In Annotation is YES'),
    })
    expect((await running({ onIdentifyingPixels: 'pass' })).n?.data[0]).toBe(1)
  })

  it('may not return what belongs to nobody', async () => {
    const returnsFolder = path.join(folder, 'stranger')
    await mkdir(returnsFolder)
    const stranger = path.join(folder, 'stranger.dcm')
    writePart10(stranger, ctSlice({ StudyID: 'another study' }))
    const script = `fs.copyFileSync(${JSON.stringify(stranger)}, output + '/x.dcm')`
    const running = using(openCommand(options(script), context({ returnsFolder })), (model) => model.run({}, []))
    await expect(running).rejects.toMatchObject({
      code: 'model-failed',
      message: expect.stringContaining('none of those that were handed out'),
    })
    expect(await readdir(returnsFolder)).toEqual([])
  })
})
