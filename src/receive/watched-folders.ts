import type { FolderPorts } from './folder-take.ts'
import type { FolderPace, FolderSettings, FolderStatus } from './folder-watching.ts'
import { WatchedFolder } from './watched-folder.ts'

/** Every watched folder of the node. */
export class WatchedFolders {
  readonly #folders: WatchedFolder[]

  /** @param settings folders that do not lie in one another, nor in the node's own: the configuration is checked for that */
  constructor(settings: readonly FolderSettings[], ports: FolderPorts, pace: Partial<FolderPace> = {}) {
    this.#folders = settings.map((one) => new WatchedFolder(one, ports, pace))
  }

  /** Begins to watch all of them; one that is not there now is watched as soon as it is. */
  async start(): Promise<void> {
    await Promise.all(this.#folders.map((folder) => folder.start()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#folders.map((folder) => folder.stop()))
  }

  /** How each of them is. */
  status(): FolderStatus[] {
    return this.#folders.map((folder) => folder.status)
  }

  /** For `/readyz`, which anybody may ask: no path is told. */
  health(): { ok: boolean; sentence: string } {
    const status = this.status()
    const lost = status.flatMap(({ trouble }, index) => (trouble === null ? [] : [`folder ${index + 1}: ${trouble}`]))
    if (lost.length > 0) return { ok: false, sentence: `cannot be watched: ${lost.join(', ')}` }
    return { ok: true, sentence: `${status.length} watched` }
  }
}
