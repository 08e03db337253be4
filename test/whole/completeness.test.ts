import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frameHl7 } from '../../src/assemble/hl7-frames.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { NodeProcess, type Timeline } from '../support/node-process.ts'
import { freePort, type OrthancProcess, startOrthanc } from '../support/orthanc.ts'
import { available } from '../support/programs.ts'
import { instanceUID, seriesUID, smallFile, studyUID } from '../support/small-instance.ts'
import { availabilityOf, stepOf } from '../support/statement-attributes.ts'
import { StatementClient } from '../support/statement-client.ts'

const longest = 9

describe.skipIf(!available('Orthanc'))('a node that is told how much there is to come', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-completeness-'))
  let orthanc: OrthancProcess
  let node: NodeProcess
  let client: StatementClient
  let hl7Port: number

  beforeAll(async () => {
    orthanc = await startOrthanc({ user: 'hilum', password: 'for-tests' })
    await fetch(`${orthanc.url}/modalities/hilum`, {
      method: 'PUT',
      headers: { authorization: orthanc.authorization },
      body: JSON.stringify({ AET: 'HILUM', Host: '127.0.0.1', Port: 11112 }),
    })
    hl7Port = await freePort()
    const config = path.join(folder, 'hilum.yaml')
    writeFileSync(config, configuration())
    const times = { HILUM_ASSEMBLE_QUIET: '4', HILUM_ASSEMBLE_RELEASE: '1', HILUM_ASSEMBLE_LONGEST: String(longest) }
    node = await new NodeProcess(times, config).start()
    client = await StatementClient.open(node.dimsePort)
  })
  afterAll(async () => {
    await client?.release()
    await node?.dispose()
    await orthanc?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const configuration = () => `
assemble:
  expect:
    - { kind: qido-rs, destination: pacs }
    - { kind: c-find, remote: ORTHANC }
  hl7: { port: ${hl7Port} }
remotes:
  - { aeTitle: ORTHANC, host: 127.0.0.1, port: ${orthanc.dimsePort} }
destinations:
  pacs:
    kind: stow-rs
    url: ${orthanc.url}/dicom-web
    auth: { kind: basic, username: hilum, password: for-tests }
`

  /** Sends instances of a study over one association of the node's own SCU. */
  async function send(study: number, instances: number[], to = { port: node.dimsePort, calledAETitle: 'HILUM' }) {
    const files = instances.map((instance) => {
      const file = path.join(folder, `${instance}.dcm`)
      writeFileSync(file, smallFile({ study, series: 1, instance }))
      return file
    })
    const report = await sendInstances({ host: '127.0.0.1', callingAETitle: 'CT1', ...to, files })
    expect(report.stored).toBe(instances.length)
  }
  const completed = (study: number, revision = 1): Promise<Timeline> =>
    node.until(studyUID(study), (timeline) => timeline.revision === revision, { seconds: 60, what: 'the revision' })
  const reason = async (study: number) => (await completed(study)).completion?.reason
  const sentences = async (study: number) =>
    (await node.timeline(studyUID(study)))?.events.map((event) => event.sentence)

  it('waits for a step in progress, and completes the study at once when all that it lists is there', async () => {
    const begun = stepOf({ status: 'IN PROGRESS', studies: [studyUID(1)], startedAt: ['20261121', '140322'] })
    expect(await client.create('1.2.8.1', begun)).toMatchObject({ status: 0 })
    expect(await client.create('1.2.8.1', begun)).toMatchObject({ status: 0x0111 })
    await send(1, [11])
    await send(2, [21])
    expect(await reason(2)).toBe('quiet 1 s after association release')
    expect(await node.timeline(studyUID(1))).toMatchObject({ state: 'receiving', revision: 0 })
    const ended = stepOf({ status: 'COMPLETED', series: { [seriesUID(1, 1)]: [instanceUID(11), instanceUID(12)] } })
    expect(await client.set('1.2.8.1', ended)).toMatchObject({ status: 0 })
    const comment = 'Performed Procedure Step Object may no longer be updated'
    expect(await client.set('1.2.8.1', ended)).toMatchObject({ status: 0x0110, errorComment: comment })
    expect(await client.set('1.2.8.99', ended)).toMatchObject({ status: 0x0112 })
    await send(1, [12])
    expect(await reason(1)).toBe('all 2 instances that MPPS 1.2.8.1 lists are here')
    expect(await sentences(1)).toEqual([
      'MPPS 1.2.8.1 in progress since 2026-11-21 14:03:22, says CT1@127.0.0.1',
      'MPPS 1.2.8.1 completed: 2 instances in 1 series',
    ])
  })

  it('says what was missing when the longest wait is over: of a notification, and of what an archive counts', async () => {
    const notified = availabilityOf(studyUID(3), [instanceUID(31), instanceUID(32)], [])
    expect(await client.notify(notified)).toMatchObject({ status: 0 })
    await send(4, [41, 42, 43], { port: orthanc.dimsePort, calledAETitle: 'ORTHANC' })
    await send(5, [51], { port: orthanc.dimsePort, calledAETitle: 'ORTHANC' })
    await send(3, [31])
    await send(4, [41, 42])
    await send(5, [51])
    expect(await reason(5)).toBe(
      'quiet 1 s after association release; the one instance that archive pacs counts is here',
    )
    const begin = `${longest} s after the last instance: `
    expect(await reason(3)).toBe(`${begin}1 of 2 instances that an availability notification lists`)
    expect(await reason(4)).toBe(`${begin}2 of 3 instances that archive pacs counts`)
  })

  it('is not held up by archives that do not know the study, nor by ones that do not answer', async () => {
    await send(6, [61, 62])
    expect(await reason(6)).toBe('quiet 1 s after association release')
    await orthanc.stop()
    await send(7, [71])
    expect(await reason(7)).toMatch(
      /^quiet 1 s after association release; archive pacs could not be asked \(\w+\S*\); archive ORTHANC could not be asked \(\S+\)$/,
    )
    await send(8, [81])
    expect(await reason(8)).toContain('archive pacs has not answered lately')
  })

  it('takes orders over HL7, before and after the first instance', async () => {
    const socket = connect(hl7Port, '127.0.0.1')
    await once(socket, 'connect')
    const order = (id: string, study: number, status: string) =>
      frameHl7(
        Buffer.from(
          `MSH|^~\\&|RIS|N|HILUM|H|20261121||ORM^O01|${id}|P|2.3\rPID|1||P123||DOE^JOHN\rORC|SC||||${status}\rOBR|1|P1|F1\rZDS|${studyUID(study)}^RIS\r`,
        ),
      )
    socket.write(Buffer.concat([order('M1', 9, 'CM'), order('M2', 9, 'CM')]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/\rMSA\|AA\|M1\|/)
    await send(9, [91])
    expect(await reason(9)).toContain('quiet 1 s after association release; HL7 says that the order is completed')
    expect(await sentences(9)).toEqual(['HL7 ORM^O01: the order is completed (ORC-5 CM)'])
    socket.write(order('M3', 9, 'CA'))
    await once(socket, 'data')
    expect((await sentences(9))?.at(-1)).toBe('HL7 ORM^O01: the order is cancelled (ORC-5 CA)')
    socket.destroy()
    expect(node.log).not.toMatch(/DOE|P123/)
  })

  it('makes the next revision of a late instance, and none of what is sent again', async () => {
    await send(2, [21])
    await send(2, [22])
    const { completion } = await completed(2, 2)
    expect(completion?.reason).toContain('quiet 1 s after association release')
    const { revisions } = await node.json<{ revisions: { instances: number }[] }>(`/api/studies/${studyUID(2)}`)
    expect(revisions.map(({ instances }) => instances)).toEqual([2, 1])
  })
})
