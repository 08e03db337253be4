import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { runProgram } from '../support/programs.ts'

describe('the demo', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-demo-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('sends its phantom, and ends with results that are stored, verified and right', () => {
    const demo = runProgram('node', ['dist/main.js', 'demo', '--once'])
    expect(demo.code, demo.output).toBe(0)
    const truth = Number(/true lung volume is ([\d.]+) L/.exec(demo.output)?.[1])
    const found = Number(/Total lung volume\s+([\d.]+) L/.exec(demo.output)?.[1])
    expect(Math.abs(found / truth - 1)).toBeLessThan(0.01)
    expect(demo.output.match(/verified at self; read back: no fault/g)).toHaveLength(4)
    expect(demo.output).toContain('Every result is stored, verified and without fault.')
  })

  it("sends the user's study with --study", async () => {
    const phantom = chestPhantom({ slices: 100, rows: 128, columns: 128 })
    await writePhantom(folder, phantom, { identity: 'own study' })
    const demo = runProgram('node', ['dist/main.js', 'demo', '--once', '--study', folder])
    expect(demo.code, demo.output).toBe(0)
    expect(demo.output).toContain('100 files under')
  })
})
