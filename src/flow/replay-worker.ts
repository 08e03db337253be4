import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import { silentLog } from '../log.ts'
import { openDatabase } from '../store/database.ts'
import { type ReplayRequest, type ReplayResult, replayRoute } from './replay.ts'

/** What a replay is started with. */
export interface ReplayWork {
  url: string
  dataDir: string
  request: ReplayRequest
}

/** What it tells. */
export type ReplayNews =
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'done'; result: ReplayResult }
  | { kind: 'failed'; reason: string }

/** Progress is told so often at most, in milliseconds. */
const tellEvery = 100

/** Runs in a thread of its own, on a connection of its own: what it reads keeps nobody waiting. */
async function replay({ url, dataDir, request }: ReplayWork, tell: (news: ReplayNews) => void): Promise<void> {
  const database = await openDatabase({ url, dataDir, log: silentLog })
  try {
    let told = 0
    const onProgress = (done: number, total: number): void => {
      const now = performance.now()
      if (now - told < tellEvery && done < total) return
      told = now
      tell({ kind: 'progress', done, total })
    }
    tell({ kind: 'done', result: await replayRoute(database, request, { onProgress }) })
  } catch (error) {
    tell({ kind: 'failed', reason: messageOf(error) })
  } finally {
    await database.destroy()
  }
}

const port = parentPort
if (port) await replay(workerData as ReplayWork, (news) => port.postMessage(news))
