import type { Knex } from 'knex'
import { Audit } from '../admin/audit.ts'
import type { Destination } from '../deliver/destination.ts'
import { HilumError } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Deletion, deleteStudy, removeDeletedObjects } from '../store/delete-study.ts'
import type { Objects } from '../store/objects.ts'
import type { OwnAddress } from './own-address.ts'
import { type Candidate, judgeStudy, type RetentionRule, type VerdictOptions } from './retention-verdict.ts'

export interface RetentionOptions {
  rules: readonly RetentionRule[]
  database: Knex
  objects: Pick<Objects, 'pathOf' | 'remove'>
  destinations: { get(name: string): Destination | undefined }
  /** Where the node itself listens for HTTP. */
  own: OwnAddress
  /** Bytes that are free now on the file system of the objects. */
  free: () => number
  log: Log
  onDeleted?: (deletion: Deletion) => void
  /** When a rule runs next (ISO 8601 UTC), where something else keeps its schedule. */
  nextRun?: (rule: string) => string | null
  now?: () => Date
}

/** What a rule did, would do, or did not do with a study. */
export interface StudyOutcome {
  studyInstanceUID: string
  /** False: it is kept. */
  deleted: boolean
  /** The proof, or why it is kept. */
  reason: string
}

/** What a run of a rule came to. */
export interface RetentionRun {
  rule: string
  /** True: nothing was deleted; the numbers say what would have been. */
  dryRun: boolean
  startedAt: string
  finishedAt: string
  /** Studies that are old enough. */
  studies: number
  deleted: number
  /** Of what was deleted. */
  bytes: number
  /** Why the run ended before it had looked at all of them; null where it did. */
  stopped: string | null
  /** The oldest studies first, as many as are remembered. */
  outcomes: StudyOutcome[]
}

/** A rule, with what it did and when it runs next (null: it is not scheduled by this process). */
export interface RetentionStatus {
  rule: RetentionRule
  nextRun: string | null
  lastRun: RetentionRun | null
}

export interface RunOptions {
  /** The rules of this name; without it, all. */
  rule?: string
  dryRun: boolean
  /** Who wants it, for the audit. */
  actor: string
  /** False: destinations are not asked; for dry runs only. */
  ask?: boolean
  /** Studies to look at; all without it. */
  limit?: number
}

const pageLength = 100
/** Outcomes that a run remembers: a list for people. */
const longestList = 200

/**
 * Deletes studies by rules, on demand, and never one of which it is not proven that it is elsewhere. One run at a time;
 * the oldest studies first.
 */
export class Retention {
  readonly #options: RetentionOptions
  readonly #now: () => Date
  readonly #lastRuns = new Map<string, RetentionRun>()
  #work: Promise<unknown> = Promise.resolve()
  #stopping = false

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /** Ends a run after the study that it is at. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
  }

  /** The rules, with their last and next runs. */
  status(): RetentionStatus[] {
    return this.#options.rules.map((rule) => ({
      rule,
      nextRun: this.#options.nextRun?.(rule.name) ?? null,
      lastRun: this.#lastRuns.get(rule.name) ?? null,
    }))
  }

  /** Removes files of deleted studies that a crash has left: at start, before anything arrives or runs. */
  async removeLeftovers(): Promise<void> {
    const { database, objects, log } = this.#options
    const { removed, left } = await removeDeletedObjects(database, objects, log)
    if (removed + left > 0) log.info('files of deleted studies removed', { removed, left })
  }

  /**
   * Runs rules now; those that delete wait until the run that is under way has ended.
   * @throws HilumError `rule-unknown`
   */
  async run(options: RunOptions): Promise<RetentionRun[]> {
    const rules = this.#options.rules.filter(({ name }) => options.rule === undefined || name === options.rule)
    if (options.rule !== undefined && rules.length === 0)
      throw new HilumError('rule-unknown', `there is no retention rule ${options.rule}`)
    const runAll = async (): Promise<RetentionRun[]> => {
      const runs: RetentionRun[] = []
      for (const rule of rules) runs.push(await this.#runRule(rule, options))
      return runs
    }
    if (options.dryRun) return runAll()
    const running = this.#work.then(runAll)
    this.#work = running.catch(() => {})
    return running
  }

  async #runRule(rule: RetentionRule, options: RunOptions): Promise<RetentionRun> {
    const { log } = this.#options
    const run: RetentionRun = {
      rule: rule.name,
      dryRun: options.dryRun,
      startedAt: this.#now().toISOString(),
      finishedAt: '',
      studies: 0,
      deleted: 0,
      bytes: 0,
      stopped: null,
      outcomes: [],
    }
    await this.#throughCandidates(rule, run, options)
    run.finishedAt = this.#now().toISOString()
    if (options.dryRun) return run
    this.#lastRuns.set(rule.name, run)
    const { studies, deleted, bytes, stopped } = run
    log.info('retention rule run', { rule: rule.name, studies, deleted, bytes, stopped })
    await this.removeLeftovers()
    return run
  }

  async #throughCandidates(rule: RetentionRule, run: RetentionRun, options: RunOptions): Promise<void> {
    const failures = new Map<string, number>()
    const { database, objects, destinations, own } = this.#options
    const ask = options.ask ?? true
    const verdict: VerdictOptions = { database, objects, destinations, own, now: this.#now, ask, failures }
    const cutoff = new Date(this.#now().getTime() - rule.olderThanDays * 86_400_000).toISOString()
    for await (const study of candidates(database, cutoff)) {
      run.stopped = this.#whyStop(rule, run, options)
      if (run.stopped !== null) return
      run.studies++
      const outcome = await this.#decide(study, { rule, run, options, verdict })
      if (run.outcomes.length < longestList) run.outcomes.push(outcome)
    }
  }

  #whyStop(rule: RetentionRule, run: RetentionRun, { limit, dryRun }: RunOptions): string | null {
    if (this.#stopping) return 'the node is stopping'
    if (limit !== undefined && run.studies >= limit) return `only ${limit} studies were looked at`
    if (rule.belowFree === 0) return null
    const free = this.#options.free() + (dryRun ? run.bytes : 0)
    return free < rule.belowFree
      ? null
      : `${free} bytes are free: the rule deletes while less than ${rule.belowFree} are`
  }

  async #decide(
    study: Candidate,
    {
      rule,
      run,
      options,
      verdict,
    }: { rule: RetentionRule; run: RetentionRun; options: RunOptions; verdict: VerdictOptions },
  ): Promise<StudyOutcome> {
    const { studyInstanceUID } = study
    const judged = await judgeStudy(study, rule, verdict)
    if (judged.kind === 'keep') return { studyInstanceUID, deleted: false, reason: judged.reason }
    if (options.dryRun) {
      run.deleted++
      run.bytes += judged.bytes
      return { studyInstanceUID, deleted: true, reason: judged.proof }
    }
    const { database, objects, log, onDeleted } = this.#options
    const { actor } = options
    const reason = { rule: rule.name, proof: judged.proof, actor, at: this.#now().toISOString() }
    const patient = await new Audit(database).patientOf(studyInstanceUID)
    const deletion = await deleteStudy(database, judged.seen, reason, (trx) =>
      new Audit(trx, this.#now).record({
        actor,
        action: 'study-delete',
        subject: studyInstanceUID,
        outcome: 'success',
        studyInstanceUID,
        detail: patient,
      }),
    )
    if (deletion === null)
      return { studyInstanceUID, deleted: false, reason: 'it has changed while the destinations were asked' }
    run.deleted++
    run.bytes += deletion.bytes
    log.info('study deleted', {
      studyInstanceUID,
      rule: rule.name,
      instances: deletion.instances,
      bytes: deletion.bytes,
    })
    await removeDeletedObjects(database, objects, log)
    onDeleted?.(deletion)
    return { studyInstanceUID, deleted: true, reason: judged.proof }
  }
}

/** The studies whose last instance came before a time, the oldest first. */
async function* candidates(database: Knex, cutoff: string): AsyncGenerator<Candidate> {
  let after: Candidate | undefined
  for (;;) {
    const page = database('studies')
      .where('last_instance_at', '<=', cutoff)
      .orderBy(['last_instance_at', 'id'])
      .limit(pageLength)
    // In this form both databases walk the index.
    if (after) page.whereRaw('(last_instance_at, id) > (?, ?)', [after.lastInstanceAt, after.id])
    const rows = await page.select<Candidate[]>({
      id: 'id',
      studyInstanceUID: 'study_instance_uid',
      state: 'state',
      changed: 'changed',
      revision: 'revision',
      instances: 'source_instances',
      lastInstanceAt: 'last_instance_at',
    })
    if (rows.length === 0) return
    yield* rows
    after = rows.at(-1)
  }
}
