import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { randomSecret } from './admin/accounts.ts'
import { verifyCaller } from './admin/app.ts'
import { EventHub } from './admin/events.ts'
import { NodeMetrics } from './admin/metrics.ts'
import type { Config } from './config.ts'
import { createDestinations } from './deliver/destinations.ts'
import { createAccess } from './flow/access.ts'
import { createNodeApp, packageVersion } from './flow/app.ts'
import { Arrivals } from './flow/arrivals.ts'
import { createAssembler } from './flow/assembly.ts'
import { destinationOptions } from './flow/destination-options.ts'
import { DiskWatch } from './flow/disk-watch.ts'
import { Disposal } from './flow/disposal.ts'
import { watchedFolders } from './flow/folders.ts'
import { Hints } from './flow/hints.ts'
import { Hl7Listener } from './flow/hl7-listener.ts'
import { HttpListener } from './flow/http-listener.ts'
import { countingAtEnd, Insights, openPatientKey } from './flow/insights.ts'
import { installPipelines } from './flow/installed-pipelines.ts'
import { NodeControl } from './flow/node-control.ts'
import { createNotifying } from './flow/notifying.ts'
import { Remotes } from './flow/remotes.ts'
import { Replays } from './flow/replays.ts'
import { Retention } from './flow/retention.ts'
import { seedRoutes } from './flow/routes.ts'
import { retentionTask, scheduledTasks } from './flow/scheduled-tasks.ts'
import { Schedules } from './flow/schedules.ts'
import { allAtEnd, tellingAtEnd } from './flow/telling.ts'
import { createWork, workFolder } from './flow/work.ts'
import { JobProgress } from './jobs/progress.ts'
import { JobQueue } from './jobs/queue.ts'
import type { Log } from './log.ts'
import { migrate, openDatabase } from './store/database.ts'
import { DiskObjects } from './store/disk-objects.ts'
import { lockDataFolder } from './store/folder-lock.ts'
import { FreeSpace, freeBytes } from './store/free-space.ts'
import { IncomingFolder } from './store/incoming.ts'
import { SecretBox } from './store/secret-box.ts'

/** A node that runs in this process and its children. */
export interface RunningNode {
  config: Config
  dimsePort: number
  httpPort: number
  /** Of listeners that are there only where they are configured: `dimse-tls`, `hl7`. */
  furtherPorts: Readonly<Record<string, number>>
  /** The administrator's one-time password, at the very first start; else null. */
  firstPassword: string | null
  /** Finishes or parks what is in flight and ends everything; can be called twice. */
  stop(): Promise<void>
  /** Resolves when the node has stopped. */
  stopped: Promise<void>
}

/** What open associations, and then running jobs, get to finish. */
const graceMs = 10_000

/**
 * Starts a node: everything is composed here, in the order of the flow.
 * @throws HilumError when a part cannot start; what was started before it is ended again
 */
export async function startNode(config: Config, { log }: { log: Log }): Promise<RunningNode> {
  const parts = new Disposal(log)
  try {
    return await compose(config, log, parts)
  } catch (error) {
    await parts.dispose()
    throw error
  }
}

async function compose(config: Config, log: Log, parts: Disposal): Promise<RunningNode> {
  const now = new Date().toISOString()
  const receives = config.roles.includes('receive')
  const works = config.roles.includes('work')

  // store
  mkdirSync(config.dataDir, { recursive: true })
  const unlock = lockDataFolder(config.dataDir)
  parts.add('data folder', unlock)
  const database = await openDatabase({ url: config.database.url, dataDir: config.dataDir, log })
  parts.add('database', () => database.destroy())
  await migrate(database, log)

  // who may come in, and who did what
  const selfToken = randomSecret()
  const access = createAccess({ config, database, selfToken, log })
  const { auth } = access
  parts.add('access', () => access.stop())

  const objects = new DiskObjects(config.dataDir)
  const box = new SecretBox(config.dataDir)
  const patientKey = await openPatientKey(database, box, log)
  const queue = new JobQueue({ database, atEnd: allAtEnd(countingAtEnd(patientKey), tellingAtEnd) })
  const pipelines = await installPipelines(config.pipelines.folder, database, now, log)
  await seedRoutes(database, config.routes, now)
  const space = new FreeSpace({ folder: config.dataDir, marks: config.receive })

  // what everybody tells
  const hub = new EventHub()
  const remotes = new Remotes({ config, database, log, onNews: () => hub.publish({ kind: 'remote' }) })
  const metrics = new NodeMetrics({ knex: database, dataDir: config.dataDir, space, remotes })
  const http = new HttpListener()
  parts.add('http', () => http.close(graceMs))
  // Before HTTP: streams of events never end by themselves, and would cost it all of its grace.
  parts.add('events', () => hub.close())
  const httpPort = await http.listen(config.http)

  // who is told of what
  const notifying = createNotifying({
    config,
    database,
    box,
    log,
    onChange: () => hub.publish({ kind: 'notification' }),
  })
  parts.add('notifications', () => notifying.notifier.stop())

  // infer, encode and deliver: jobs
  const self = { url: `http://${http.loopback}:${httpPort}/dicomweb`, token: selfToken }
  const destinations = createDestinations(destinationOptions(config), self)
  parts.add('destinations', () => destinations.close())
  const disk: DiskWatch = new DiskWatch({
    space,
    log,
    onChange: (reading, before) => {
      hub.publish({ kind: 'disk' })
      notifying.tellDisk(reading, before)
      work?.poke()
    },
  })
  const mayStart = () => disk.permitsWork
  const progress = new JobProgress((job, at) => hub.publish({ kind: 'progress', job, ...at }))
  const work = works
    ? createWork({
        config,
        database,
        objects,
        queue,
        pipelines,
        destinations,
        hub,
        metrics,
        audit: auth.audit,
        log,
        progress,
        mayStart,
      })
    : null
  parts.add('disk watch', () => disk.stop())
  disk.start()

  if (work) parts.add('work', () => work.stop())
  work?.warm()

  // assemble and route
  const onQueued = () => work?.infers.poke()
  const assembler = createAssembler({
    config,
    database,
    queue,
    pipelines,
    destinations,
    hub,
    log,
    remotes,
    onQueued,
  })
  const hints = new Hints({
    database,
    log,
    onHint: (studies) => {
      assembler.hinted()
      for (const studyInstanceUID of studies) hub.publish({ kind: 'study', studyInstanceUID })
    },
  })

  // receive
  const arrivals = new Arrivals({
    config,
    database,
    objects,
    assembler,
    hub,
    metrics,
    log,
    remotes,
    audit: auth.audit,
    verify: (name, password, address) => verifyCaller(auth, { name, password, address }),
    takeStatement: (question) => hints.answer(question),
  })
  const incoming = new IncomingFolder({
    dataDir: config.dataDir,
    sync: config.receive.sync,
    minimumFreeBytes: config.receive.minimumFree,
    space,
  })
  const folders = watchedFolders({ config, database, incoming, arrivals, assembler, log })
  const hl7 = config.assemble.hl7
    ? new Hl7Listener({ ...config.assemble.hl7, onOrders: (orders, from) => hints.order(orders, from), log })
    : null
  const retention = new Retention({
    rules: config.retention,
    database,
    objects,
    destinations,
    own: { host: config.http.host, port: httpPort },
    free: () => freeBytes(config.dataDir),
    log,
    nextRun: (rule) => schedules.nextRun(retentionTask(rule)),
    onDeleted: ({ rule, bytes, studyInstanceUID }) => {
      metrics.studiesDeleted.inc({ rule })
      metrics.bytesDeleted.inc({ rule }, bytes)
      hub.publish({ kind: 'study', studyInstanceUID })
      void control.thumbnails.forget(studyInstanceUID)
    },
  })

  // view and admin
  const control = new NodeControl({
    config,
    version: packageVersion(),
    database,
    objects,
    queue,
    progress,
    pipelines,
    destinations,
    remotes,
    self,
    hub,
    space,
    box,
    log,
    receiving: () => (receives ? { open: arrivals.open, receiver: arrivals.receiverState() } : null),
    work: () => work,
  })
  parts.add('control', () => control.stop())
  await control.start()
  const insights = new Insights({
    database,
    settings: config.insights,
    patientKey,
    log,
    onDrift: (change) => {
      hub.publish({ kind: 'drift' })
      notifying.tellDrift(change)
    },
  })
  parts.add('insights', () => insights.stop())
  const schedules = new Schedules({
    database,
    log,
    tasks: scheduledTasks({
      config: works ? config : { ...config, retention: [] },
      database,
      hints,
      retention,
      insights,
      remotes,
      destinations: () => destinations.names(),
    }),
    onChange: () => hub.publish({ kind: 'schedule' }),
  })
  const replays = new Replays({ database: { url: config.database.url, dataDir: config.dataDir }, log })
  parts.add('replays', () => replays.stop())
  const app = createNodeApp({
    config,
    database,
    objects,
    queue,
    pipelines,
    destinations,
    auth,
    metrics,
    hub,
    log,
    incoming,
    arrivals,
    assembler,
    control,
    insights,
    notifications: notifying.notifications,
    schedules,
    remotes,
    replays,
    retention,
    space,
    folders,
    poke: () => work?.poke(),
  })

  // everything is there: repair what a crash left, then open the doors
  await rm(workFolder(config), { recursive: true, force: true })
  if (works) await retention.removeLeftovers()
  if (receives) await arrivals.recover({ deleteUnfinished: true })
  const interrupted = works ? await queue.requeueInterrupted() : 0
  if (interrupted > 0) log.info('interrupted jobs queued again', { jobs: interrupted })
  parts.add('remotes', () => remotes.stop())
  await remotes.start()
  http.serve(app)
  const furtherPorts: Record<string, number> = {}
  if (receives) {
    parts.add('assembly', () => assembler.stop())
    await assembler.start()
    parts.add('arrivals', () => arrivals.stop(graceMs))
    await arrivals.start()
    parts.add('watched folders', () => folders.stop())
    await folders.start()
    if (hl7) parts.add('hl7', () => hl7.close())
    const tlsPort = arrivals.receiver.tlsPort
    if (tlsPort != null) furtherPorts['dimse-tls'] = tlsPort
    if (hl7) furtherPorts.hl7 = await hl7.start()
  }
  work?.start()
  if (works) insights.start()
  parts.add('retention', () => retention.stop())
  notifying.notifier.start()
  await access.start()
  // Last: a password that is made is a password that is printed, also when a start before this one has failed.
  const first = await auth.accounts.createFirstUser()
  parts.add('schedules', () => schedules.stop())
  await schedules.start()

  return {
    config,
    dimsePort: receives ? arrivals.receiver.port : 0,
    httpPort,
    furtherPorts,
    firstPassword: first?.oneTimePassword ?? null,
    stop: () => parts.dispose(),
    stopped: parts.disposed,
  }
}
