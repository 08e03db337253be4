import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { available, runProgram } from '../../support/programs.ts'

let isThere: boolean | undefined

/** Debian's Python with numpy and scipy is there. */
export function hasScipy(): boolean {
  isThere ??= available('/usr/bin/python3') && runProgram('python3', ['-c', 'import scipy.ndimage']).code === 0
  return isThere
}

/**
 * Runs Python code that finds arrays in `inputs` (by name, in numpy's order z, y, x) and fills `outputs` with arrays or numbers.
 * @returns each output as bytes of its own type, or numbers
 */
export function runScipy(
  code: string,
  inputs: Record<string, { size: readonly number[]; data: Uint8Array | Float32Array }>,
): Record<string, Buffer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-scipy-'))
  try {
    const loads = Object.entries(inputs).map(([name, { size, data }]) => {
      const file = path.join(folder, `${name}.in`)
      writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      const type = data instanceof Float32Array ? 'float32' : 'uint8'
      return `inputs['${name}'] = np.fromfile('${file}', np.${type}).reshape(${JSON.stringify([...size].reverse())})`
    })
    const script = [
      'import numpy as np',
      'from scipy import ndimage as nd',
      'inputs, outputs = {}, {}',
      ...loads,
      code,
      `for name, array in outputs.items(): np.ascontiguousarray(array).tofile('${folder}/' + name + '.out')`,
      `open('${folder}/names', 'w').write(' '.join(outputs))`,
    ].join('\n')
    const { code: status, output } = runProgram('python3', ['-c', script], { timeoutMs: 60_000 })
    if (status !== 0) throw new Error(output)
    const names = readFileSync(path.join(folder, 'names'), 'utf8').split(' ')
    return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, `${name}.out`))]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An output of float64. */
export function doubles(bytes: Buffer | undefined): number[] {
  if (!bytes) throw new Error('the output is missing')
  return [...new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))]
}
