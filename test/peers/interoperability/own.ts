import { readFileSync } from 'node:fs'
import { textOf } from '../../../src/dicom/dataset.ts'
import { parseFileMeta } from '../../../src/dicom/part10.ts'
import { DicomwebServer } from '../../../src/dicomweb/client.ts'
import { requestCommitment } from '../../../src/dimse/commitment.ts'
import { findMatches } from '../../../src/dimse/find.ts'
import { moveInstances } from '../../../src/dimse/move.ts'
import { echo, sendInstances } from '../../../src/dimse/send.ts'
import { userIdentityType } from '../../../src/dimse/user-information.ts'
import { CraftedPeer, dataPDU, storageContext, storeCommand } from '../../dimse/crafted-peer.ts'
import { slice } from '../../dimse/data-sets.ts'
import { adminToken } from '../../support/node-process.ts'
import { availabilityOf, stepOf } from '../../support/statement-attributes.ts'
import { StatementClient } from '../../support/statement-client.ts'
import type { Client, Known } from './client.ts'
import { failed, type Outcome, passed, refused, when } from './outcome.ts'
import { receivedBy } from './receiving.ts'
import type { Sample } from './samples.ts'
import { type Setting, storesOnly } from './setting.ts'

const crafted = 'by a peer that the tests are made with; Hilum’s own clients have one operation under way at a time'

/** Hilum's own clients. */
export function own(setting: Setting, known: Known): Client {
  const { node, tlsPort, ca, client, user } = setting
  const { patientID, sample } = known
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID } = sample
  const peer = { host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'OWN', calledAETitle: 'HILUM' }
  const server = new DicomwebServer({ url: `${node.url}/dicomweb`, auth: { kind: 'bearer', token: adminToken } })
  const identity = (passcode: string) => ({
    type: userIdentityType.usernameAndPasscode,
    positiveResponseRequested: true,
    primary: Buffer.from(user[0]),
    secondary: Buffer.from(passcode),
  })
  const echoes = async (options: Partial<Parameters<typeof echo>[0]> = {}): Promise<Outcome> =>
    when((await echo({ ...peer, ...options })).status === 0, 'the answer is no success')
  const refusedAt = (acting: Promise<unknown>): Promise<Outcome> =>
    acting.then(
      () => failed('no refusal'),
      (error: Error) => refused(`Hilum: ${error.message.replaceAll(/HILUM@[\d.:]+|OTHER@[\d.:]+/g, 'the node')}`),
    )
  const find = async (
    model: 'patient' | 'study',
    expected: [keyword: string, value: string],
    callingAETitle = 'OWN',
  ) => {
    const keys = {
      '00100020': { vr: 'LO', Value: [patientID] },
      ...(model === 'study' && { '0020000D': { vr: 'UI' } }),
    }
    const level = model === 'patient' ? 'PATIENT' : 'STUDY'
    const found = []
    for await (const match of findMatches({ ...peer, callingAETitle }, { model, level, keys }))
      found.push(textOf(match, expected[0]))
    return when(found.length === 1 && found[0] === expected[1], 'not found')
  }
  const move = async (destination: string) => {
    const keys = {
      '0020000D': { vr: 'UI', Value: [studyInstanceUID] },
      '0020000E': { vr: 'UI', Value: [seriesInstanceUID] },
    }
    return await moveInstances(peer, { model: 'study', level: 'SERIES', keys, destination })
  }
  const send = async ({ file }: Sample): Promise<Outcome> => {
    const { files } = await sendInstances({ ...peer, files: [file] })
    return when(files[0]?.status === 0, files[0]?.reason ?? 'not stored')
  }
  const stow = async ({ file, sopInstanceUID: uid }: Sample): Promise<Outcome> => {
    const [outcome] = await server.store([{ path: file, sopInstanceUID: uid }])
    return when(outcome?.kind === 'stored', JSON.stringify(outcome))
  }
  const statement = async (tell: (statements: StatementClient) => Promise<(number | null)[]>): Promise<Outcome> => {
    const statements = await StatementClient.open(node.dimsePort, 'OWN')
    const statuses = await tell(statements)
    await statements.release()
    return when(
      statuses.every((status) => status === 0),
      `statuses ${statuses.join(', ')}`,
    )
  }
  return {
    name: 'Hilum',
    services: {
      Verification: () => echoes(),
      'C-FIND, Patient Root': () => find('patient', ['PatientID', patientID]),
      'C-FIND, Study Root': () => find('study', ['StudyInstanceUID', studyInstanceUID]),
      'C-MOVE': () => receivedBy(setting, 'own-move', sopInstanceUID, () => move('STORESCP')),
      'Storage Commitment, report on the same association': async () => {
        const instances = [{ sopClassUID, sopInstanceUID }]
        const { report } = await requestCommitment(peer, { transactionUID: '1.2.3.4.8', instances, waitMs: 10_000 })
        return when(report?.committed[0]?.sopInstanceUID === sopInstanceUID, 'the report is not right')
      },
      MPPS: () =>
        statement(async (statements) => {
          const uid = '1.2.3.4.9'
          const created = await statements.create(uid, stepOf({ status: 'IN PROGRESS', studies: [studyInstanceUID] }))
          const series = { [seriesInstanceUID]: [sopInstanceUID] }
          return [created.status, (await statements.set(uid, stepOf({ status: 'COMPLETED', series }))).status]
        }),
      'Instance Availability Notification': () =>
        statement(async (statements) => [
          (await statements.notify(availabilityOf(studyInstanceUID, [sopInstanceUID], []))).status,
        ]),
      'TLS, with a client certificate': () => echoes({ port: tlsPort, tls: { ca, ...client } }),
      'User identity, name and passcode': () => echoes({ userIdentity: identity(user[1]) }),
      'Asynchronous operations': () => pipelined(node.dimsePort),
      'QIDO-RS': async () => when((await server.countInstances(studyInstanceUID)) !== null, 'not found'),
      'WADO-RS': async () => {
        const found = await server.retrieveInstance(studyInstanceUID, seriesInstanceUID, sopInstanceUID)
        const sent = readFileSync(sample.file)
        return when(found?.head.equals(sent.subarray(parseFileMeta(sent).dataSetOffset)) === true, 'not the same bytes')
      },
    },
    refusals: {
      'Called AE title of another node': () => refusedAt(echo({ ...peer, calledAETitle: 'OTHER' })),
      'Query by a caller that may only store': () => refusedAt(find('study', ['StudyInstanceUID', ''], storesOnly)),
      'C-MOVE to a destination that is not known': async () => {
        const { status, reason } = await move('NOBODY')
        return status === 0xa801 ? refused(`Hilum: ${reason}`) : failed('no refusal')
      },
      'TLS without a client certificate': () => refusedAt(echo({ ...peer, port: tlsPort, tls: { ca } })),
      'User identity with a wrong passcode': () => refusedAt(echo({ ...peer, userIdentity: identity('wrong') })),
      'DICOMweb without credentials': async () => {
        const stranger = new DicomwebServer({ url: `${node.url}/dicomweb` })
        try {
          return await refusedAt(stranger.echo())
        } finally {
          await stranger.close()
        }
      },
    },
    senders: [
      { protocol: 'C-STORE', send },
      { protocol: 'STOW-RS', send: stow },
    ],
    fetchers: [],
  }
}

/** Four C-STORE under way at once, their responses in any order. */
async function pipelined(port: number): Promise<Outcome> {
  const peer = await CraftedPeer.associate(port, {
    contexts: [storageContext()],
    asynchronousOperations: { invoked: 4, performed: 1 },
  })
  const messageIDs = [1, 2, 3, 4]
  for (const messageID of messageIDs) {
    const uid = `1.2.3.4.10.${messageID}`
    const dataSet = slice({ sopInstanceUID: uid })
    peer.send(dataPDU({ command: true, last: true, value: storeCommand(uid, { messageID }) }))
    peer.send(dataPDU({ last: true, value: dataSet }))
  }
  const answered = new Set<number | null>()
  for (const _ of messageIDs) {
    const { status, messageIDBeingRespondedTo } = await peer.response()
    if (status === 0) answered.add(messageIDBeingRespondedTo)
  }
  peer.socket.end()
  const window = peer.answer?.asynchronousOperations
  if (window?.invoked !== 4 || answered.size !== messageIDs.length) return failed('not every operation was answered')
  return passed(crafted)
}
