import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PipelinesDeps } from '../admin/api-pipelines.ts'
import { PipelineActError } from '../admin/api-pipelines.ts'
import { bundleFiles } from '../infer/import/from-monai.ts'
import { isNnunetFolder } from '../infer/import/from-nnunet.ts'
import { suggestedName } from '../infer/import/import-model.ts'
import { manifestFile } from '../infer/load-pipelines.ts'
import { errorCode } from '../store/error.ts'
import { freeBytes } from '../store/free-space.ts'
import type { ImportTask } from '../worker-parts/import-task.ts'
import { archiveKind, unpack } from './unpack.ts'

export type Upload = Awaited<ReturnType<PipelinesDeps['pipelines']['uploads']>>[number]

/** An upload with where its parts lie. */
interface KeptUpload extends Upload {
  /** The pipeline's or bundle's folder; of an ONNX file that which it lies in. */
  folder: string
  /** The ONNX file. */
  model: string | null
}

/** What is uploaded and never installed is deleted after so long, ms. */
const keptMs = 24 * 3_600_000
const mostUploads = 10
const mostFiles = 5000
/** Bytes; with less room, no upload is begun. */
const leastRoom = 2 ** 20
const listedFiles = 200

/** Uploaded models and pipelines that are not installed yet: a folder each, below the data folder. */
export class PipelineUploads {
  readonly #folder: string
  readonly #mostBytes: number
  readonly #spareBytes: () => number

  /** @param options.minimumFree bytes that uploads leave to the instances that arrive */
  constructor({ dataDir, mostBytes, minimumFree }: { dataDir: string; mostBytes: number; minimumFree: number }) {
    this.#folder = path.join(dataDir, 'uploads')
    this.#mostBytes = mostBytes
    this.#spareBytes = () => freeBytes(dataDir) - minimumFree
  }

  /** The newest first; those that are too old are deleted. */
  async list(now = Date.now()): Promise<Upload[]> {
    const found: Upload[] = []
    for (const id of await readdir(this.#folder).catch(() => [])) {
      const kept = await this.#read(id)
      if (kept && Date.parse(kept.at) + keptMs > now) found.push(shown(kept))
      // One that is being written has no description yet.
      else if (kept || (await isOlder(path.join(this.#folder, id), now - keptMs))) await this.discard(id)
    }
    return found.sort((a, b) => (a.at < b.at ? 1 : -1))
  }

  /**
   * Takes an upload as it comes, and looks what it is.
   * @throws PipelineActError `too-large`, `no-space`, `too-many-uploads`, `bad-archive`, `not-importable`
   */
  async take(stream: NodeJS.ReadableStream, file: string, by: string): Promise<Upload> {
    if ((await this.list()).length >= mostUploads)
      throw new PipelineActError(
        'too-many-uploads',
        `${mostUploads} uploads wait to be installed: install or discard one first`,
      )
    // As it comes and unpacked it takes three times the most that it may be long.
    const room = Math.floor(this.#spareBytes() / 3)
    if (room < this.#mostBytes && room < leastRoom)
      throw new PipelineActError('no-space', 'the disk has too little space for an upload: see receive.minimumFree')
    const most = Math.min(this.#mostBytes, room)
    const id = randomUUID()
    const folder = path.join(this.#folder, id)
    const content = path.join(folder, 'content')
    await mkdir(content, { recursive: true })
    try {
      const raw = path.join(folder, 'raw')
      const bytes = await this.#write(stream, raw, most)
      const kind = await archiveKind(raw)
      const name = path.basename(file.replaceAll('\\', '/')).slice(0, 200)
      if (kind) {
        await unpack(raw, kind, content, { bytes: most * 2, files: mostFiles })
        await rm(raw)
      } else {
        if (!/\.onnx$/i.test(name))
          throw new PipelineActError(
            'not-importable',
            'a .zip or .tar of a pipeline, of a MONAI bundle or of an nnU-Net model is expected, or an ONNX file',
          )
        await rename(raw, path.join(content, safeName(name)))
      }
      const found = await recognise(content)
      const at = new Date().toISOString()
      const suggested = suggestedName(
        kind
          ? { folder: path.join(found.folder, name.replace(/\.(zip|tar|tgz|tar\.gz)$/i, '')), file: null }
          : { folder: found.folder, file: found.model },
      )
      const kept: KeptUpload = { id, file: name, bytes, suggestedName: suggested, uploadedBy: by, at, ...found }
      await writeFile(path.join(folder, 'upload.json'), JSON.stringify(kept))
      return shown(kept)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  async #write(stream: NodeJS.ReadableStream, file: string, most: number): Promise<number> {
    let bytes = 0
    const why = most < this.#mostBytes ? 'what the disk has space for' : 'page.uploads'
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        if (bytes > most) done(new PipelineActError('too-large', `the upload is larger than ${most} bytes (${why})`))
        else done(null, chunk)
      },
    })
    await pipeline(stream, counted, createWriteStream(file, { flags: 'wx' }))
    return bytes
  }

  /** What an upload is to be looked at as. @throws PipelineActError `upload-unknown` */
  async taskOf(
    id: string,
    { name, kind, answers }: { name?: string | undefined; kind?: string | undefined; answers: Record<string, string> },
  ): Promise<ImportTask> {
    const kept = await this.#find(id)
    return {
      folder: kept.folder,
      file: kept.model,
      whole: kept.kind === 'pipeline',
      name: name ?? kept.suggestedName,
      kind: kind ?? null,
      answers,
      out: path.join(this.#folder, id, 'built'),
    }
  }

  /**
   * Moves a folder that was looked at into the folder of the pipelines.
   * @returns where it is now
   * @throws PipelineActError `version-exists`, `not-installable`
   */
  async install(
    from: string,
    { name, version, pipelines }: { name: string; version: string; pipelines: string },
  ): Promise<string> {
    const to = path.join(pipelines, `${name}-${version}`)
    if (await stat(to).catch(() => null)) throw new PipelineActError('version-exists', `${to} is there already`)
    // Written whole beside it first: a node that starts meanwhile finds all of it, or nothing.
    const part = path.join(pipelines, `.${name}-${version}.${randomUUID()}`)
    try {
      await cp(from, part, { recursive: true, errorOnExist: true, verbatimSymlinks: true })
      await rename(part, to)
    } catch (error) {
      await rm(part, { recursive: true, force: true })
      throw new PipelineActError(
        'not-installable',
        `the folder of the pipelines cannot be written (${errorCode(error) || 'unknown'}): ${pipelines}`,
      )
    }
    return to
  }

  /** @throws PipelineActError `upload-unknown` */
  async discardKnown(id: string): Promise<void> {
    await this.#find(id)
    await this.discard(id)
  }

  async discard(id: string): Promise<void> {
    await rm(path.join(this.#folder, id), { recursive: true, force: true })
  }

  async #find(id: string): Promise<KeptUpload> {
    const kept = await this.#read(id)
    if (!kept)
      throw new PipelineActError(
        'upload-unknown',
        'there is no such upload: it was installed, discarded, or is older than a day',
      )
    return kept
  }

  async #read(id: string): Promise<KeptUpload | null> {
    try {
      return JSON.parse(await readFile(path.join(this.#folder, id, 'upload.json'), 'utf8')) as KeptUpload
    } catch {
      return null
    }
  }
}

function shown({ folder: _, model: _model, ...upload }: KeptUpload): Upload {
  return upload
}

function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_')
}

async function isOlder(folder: string, than: number): Promise<boolean> {
  const found = await stat(folder).catch(() => null)
  return found !== null && found.mtimeMs < than
}

/** What lies in a folder that was unpacked; archives often have one folder around everything. */
async function recognise(content: string): Promise<Pick<KeptUpload, 'kind' | 'folder' | 'model' | 'files'>> {
  const files = await filesIn(content)
  let folder = content
  for (let depth = 0; depth < 4; depth++) {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.map(({ name }) => name)
    const found = (kind: KeptUpload['kind'], model: string | null = null) => ({ kind, folder, model, files })
    if (names.includes(manifestFile)) return found('pipeline')
    if (await bundleFiles(folder)) return found('monai')
    if (await isNnunetFolder(folder)) return found('nnunet')
    const models = names.filter((name) => /\.onnx$/i.test(name))
    if (models.length === 1) return found('onnx', path.join(folder, models[0] as string))
    const [only] = entries
    if (!only?.isDirectory() || entries.length > 1) break
    folder = path.join(folder, only.name)
  }
  throw new PipelineActError(
    'not-importable',
    `pipeline.yaml, an ONNX file, a MONAI bundle (configs/metadata.json) or an nnU-Net model (plans.json, dataset.json) is expected; it holds ${files.slice(0, 5).join(', ') || 'nothing'}`,
  )
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()
    .slice(0, listedFiles)
}
