import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { furtherObjects } from '../encode/further-objects.ts'
import { bytesOf } from '../encode/synthetic.ts'
import { available, runProgram } from '../support/programs.ts'
import { writeSourceInstances } from '../support/source-instances.ts'

const programs = ['dsrdump', 'dcm2pdf', 'dcmp2pgm', 'dcmj2pnm', 'dcmdump', 'dcentvfy', '/usr/bin/python3']

/** Reads strictly, and every pixel that there is; prints role, modality and the shape of the pixels. */
const readAll = `
import glob, json, os, sys, warnings, pydicom
warnings.simplefilter('error')
pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
found = {}
for f in sorted(glob.glob(sys.argv[1] + '/*.dcm')):
    d = pydicom.dcmread(f)
    d.walk(lambda item, element: element.value)
    has = any(k in d for k in ('PixelData', 'FloatPixelData'))
    found[os.path.basename(f)[:-4]] = [d.Modality, list(d.pixel_array.shape) if has else None]
print(json.dumps(found))
`

/** What dcmtk says of itself. */
const knownLimits = /VR checker does not support this Specific Character Set|template constraints not yet supported/

describe.skipIf(!available(...programs))('programs that show what results hold', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'hilum-output-dcmtk-'))
  const [source, results] = [path.join(root, 'source'), path.join(root, 'results')]
  const at = (role: string): string => path.join(results, `${role}.dcm`)
  let roles: string[] = []

  beforeAll(async () => {
    for (const folder of [source, results]) mkdirSync(folder)
    const input = await writeSourceInstances(source, { slices: 5 })
    for (const object of furtherObjects(input)) writeFileSync(at(object.role), bytesOf(object))
    roles = readdirSync(results).map((name) => path.basename(name, '.dcm'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** What a program prints; it must end well, and without an error or a warning. */
  function printed(program: string, ...args: string[]): string {
    const { code, output } = runProgram(program, args)
    const complaints = output.split('\n').filter((line) => /^[EWF]: /.test(line) && !knownLimits.test(line))
    expect([program, code, complaints]).toEqual([program, 0, []])
    return output
  }

  it('dcmdump reads every kind', () => {
    expect(roles.length).toBeGreaterThan(15)
    for (const role of roles) expect(printed('dcmdump', '-q', at(role))).toContain('ManufacturerModelName')
  })

  it.each([
    ['measurements', /Joint entropy/],
    ['findings', /Nodule/],
    ['classification', /Pneumothorax/],
    ['key-images', /Key Object Description[^]*CT image/],
  ])('dsrdump reads the content of %s', (role, words) => {
    expect(printed('dsrdump', at(role))).toMatch(words)
  })

  it('dcm2pdf takes the PDF out', () => {
    const pdf = path.join(root, 'summary.pdf')
    printed('dcm2pdf', at('document'), pdf)
    expect(readFileSync(pdf).subarray(0, 5).toString()).toBe('%PDF-')
  })

  it('dcmp2pgm draws an image as the presentation state says, and other than without it', () => {
    const images = readdirSync(source).sort()
    const image = path.join(source, images[2] ?? '')
    const [plain, stated] = [path.join(root, 'plain.pgm'), path.join(root, 'stated.pgm')]
    printed('dcmp2pgm', image, plain)
    printed('dcmp2pgm', '-p', at('presentation'), image, stated)
    expect(readFileSync(stated).subarray(0, 2).toString()).toBe('P5')
    expect(readFileSync(stated).equals(readFileSync(plain))).toBe(false)
  })

  it.each([
    ['capture', 'P6'],
    ['derived-0003', 'P5'],
  ])('dcmj2pnm makes a picture of %s', (role, magic) => {
    const picture = path.join(root, `${role}.pnm`)
    printed('dcmj2pnm', at(roles.find((found) => found.startsWith(role)) ?? ''), picture)
    expect(readFileSync(picture).subarray(0, 2).toString()).toBe(magic)
  })

  it('dcentvfy finds patient, study and series of all results and their source to agree', () => {
    // It does not know label maps, and files one attribute under different entities in different IODs.
    const known = roles.filter((role) => !role.startsWith('label-map')).map(at)
    const { output } = runProgram('dcentvfy', [...readdirSync(source).map((name) => path.join(source, name)), ...known])
    expect(output.split('\n').filter((line) => line && !line.includes('Different information entities'))).toEqual([])
  })

  it('pydicom reads all of them strictly, with their pixels', () => {
    const done = runProgram('python3', ['-c', readAll, results])
    expect(done.code, done.output).toBe(0)
    const found = JSON.parse(done.stdout) as Record<string, [string, number[] | null]>
    expect(Object.keys(found).sort()).toEqual([...roles].sort())
    expect(found['parametric-map']).toEqual(['CT', [5, 64, 64]])
    expect(found['structure-set']).toEqual(['RTSTRUCT', null])
    expect(found.segmentation?.[0]).toBe('SEG')
  })
})
