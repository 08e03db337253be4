/** How far a running job has come. */
export interface Progress {
  /** What it does now. */
  stage: string
  /** 0 to 1. */
  fraction: number
}

/** How far the jobs that run now have come; nothing of it outlives the process. */
export class JobProgress {
  readonly #byJob = new Map<string, Progress>()
  readonly #onProgress: (job: string, progress: Progress) => void

  /** @param onProgress told of each step, at the pace in which the jobs tell */
  constructor(onProgress: (job: string, progress: Progress) => void = () => {}) {
    this.#onProgress = onProgress
  }

  set(job: string, progress: Progress): void {
    this.#byJob.set(job, progress)
    this.#onProgress(job, progress)
  }

  /** The job has ended. */
  ended(job: string): void {
    this.#byJob.delete(job)
  }

  of(job: string): Progress | null {
    return this.#byJob.get(job) ?? null
  }
}
