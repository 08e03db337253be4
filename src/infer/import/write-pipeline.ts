import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { manifestFile } from '../load-pipelines.ts'
import { sha256OfFile } from '../manifest/digest.ts'
import { ImportError } from './error.ts'
import { manifestText } from './manifest-text.ts'
import type { Plan } from './plan.ts'
import { readmeText } from './readme-text.ts'

/**
 * Writes a pipeline's folder: pipeline.yaml, README.md, and the files of the models. Models without a source are left for somebody to supply.
 * @param folder new or empty
 * @throws {ImportError} `not-importable` where the folder holds something
 */
export async function writePipelineFolder(plan: Plan, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0)
    throw new ImportError('not-importable', `${folder}: an empty or new folder is expected`)
  const digests: Record<string, string> = {}
  const supplied: Record<string, string> = {}
  for (const { source, name } of plan.models.flatMap((model) => [model, ...model.data])) {
    if (source === '') {
      digests[name] = '0'.repeat(64)
      supplied[name] = 'whoever makes this pipeline; its SHA-256 then has to stand in infer'
      continue
    }
    const copy = path.join(folder, name)
    await copyFile(source, copy)
    digests[name] = await sha256OfFile(copy)
  }
  await writeFile(path.join(folder, manifestFile), manifestText(plan, digests, supplied))
  await writeFile(path.join(folder, 'README.md'), readmeText(plan))
}
