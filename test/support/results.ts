import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { NodeProcess, Timeline } from './node-process.ts'
import { acceptanceTool, runProgram } from './programs.ts'

/** Downloads every result of a study by WADO-RS into a folder, one file each, and gives their paths. */
export async function downloadResults(
  node: NodeProcess,
  studyInstanceUID: string,
  timeline: Timeline,
  folder: string,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const files: string[] = []
  for (const [index, result] of timeline.results.entries()) {
    const response = await node.fetch(
      `/dicomweb/studies/${studyInstanceUID}/series/${result.seriesInstanceUID}/instances/${result.sopInstanceUID}`,
      { headers: { accept: 'application/dicom' } },
    )
    if (!response.ok) throw new Error(`result ${result.sopInstanceUID}: HTTP ${response.status}`)
    const file = path.join(folder, `${String(index + 1).padStart(2, '0')}-${result.modality}.dcm`)
    writeFileSync(file, Buffer.from(await response.arrayBuffer()))
    files.push(file)
  }
  return files
}

/**
 * Runs the outside validators over results and their source (files or folders); the last line says how many failures there were.
 * @param options `templates: false` leaves out the validator of report templates, which takes seconds for each report
 */
export function validate(
  source: string | readonly string[],
  results: string,
  { templates = true }: { templates?: boolean } = {},
): { code: number | null; output: string } {
  const options = templates ? [] : ['--no-pixelmed']
  return runProgram('python3', [
    acceptanceTool('validate.py'),
    '--source',
    ...[source].flat(),
    '--results',
    results,
    ...options,
  ])
}

/** Voxels per segment, counted by a reader that shares no code with the node. */
export function countVoxels(seg: string): Record<string, { label: string; voxels: number }> {
  const done = runProgram('python3', [acceptanceTool('seg.py'), 'count', seg])
  if (done.code !== 0) throw new Error(done.output)
  return JSON.parse(done.stdout) as Record<string, { label: string; voxels: number }>
}
