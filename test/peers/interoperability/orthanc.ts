import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { adminToken } from '../../support/node-process.ts'
import type { Client, Fetched, Known } from './client.ts'
import { failed, notOffered, type Outcome, passed, refused, when } from './outcome.ts'
import type { Sample } from './samples.ts'
import type { Setting } from './setting.ts'

/** Orthanc as a client, by its REST API; and its DICOMweb plug-in. */
export async function orthanc(setting: Setting, known: Known): Promise<Client> {
  const { node, tlsPort } = setting
  const peer = setting.orthanc
  const { patientID, sample } = known
  const modality = { AET: 'HILUM', Host: '127.0.0.1', Port: node.dimsePort, AllowStorageCommitment: true }
  await peer.request('PUT', '/modalities/hilum', modality)
  await peer.request('PUT', '/modalities/other', { ...modality, AET: 'OTHER' })
  await peer.request('PUT', '/modalities/tls', { ...modality, Port: tlsPort, UseDicomTls: true })
  const server = { Url: `${node.url}/dicomweb/`, HttpHeaders: { Authorization: `Bearer ${adminToken}` } }
  await peer.request('PUT', '/dicom-web/servers/hilum', server)
  await peer.request('PUT', '/dicom-web/servers/stranger', { Url: server.Url })

  const upload = async ({ file }: Sample) =>
    (await peer.request<{ ID: string }>('POST', '/instances', readFileSync(file))).ID
  const store = async (sent: Sample) => await peer.request('POST', '/modalities/hilum/store', await upload(sent))
  const stow = async (sent: Sample) =>
    await peer.request('POST', '/dicom-web/servers/hilum/stow', {
      Resources: [await upload(sent)],
      Synchronous: true,
    })
  const find = async (level: 'Patient' | 'Study', expected: Record<string, string>) => {
    const query = { Level: level, Query: { PatientID: patientID, ...(level === 'Study' && { StudyInstanceUID: '' }) } }
    const { ID } = await peer.request<{ ID: string }>('POST', '/modalities/hilum/query', query)
    const answers = await peer.request<Record<string, string>[]>('GET', `/queries/${ID}/answers?expand&simplify`)
    const holds = answers.length === 1 && Object.entries(expected).every(([name, uid]) => answers[0]?.[name] === uid)
    return { ID, outcome: when(holds, 'Orthanc did not find it') }
  }
  const move = async (target: string, level: 'Study' | 'Series', { studyInstanceUID, seriesInstanceUID }: Sample) => {
    const uids = {
      StudyInstanceUID: studyInstanceUID,
      ...(level === 'Series' && { SeriesInstanceUID: seriesInstanceUID }),
    }
    const { ID } = await peer.request<{ ID: string }>('POST', '/modalities/hilum/query', { Level: level, Query: uids })
    return await peer.request('POST', `/queries/${ID}/retrieve`, { TargetAet: target, Synchronous: true })
  }
  /** What Orthanc holds of a study, by SOP Instance UID, which it then forgets. */
  const take = async (studyInstanceUID: string): Promise<Map<string, Buffer>> => {
    const files = new Map<string, Buffer>()
    for (const study of await lookUp(studyInstanceUID)) {
      for (const { ID } of await peer.request<{ ID: string }[]>('GET', `/studies/${study}/instances`)) {
        const tags = await peer.request<{ SOPInstanceUID: string }>('GET', `/instances/${ID}/simplified-tags`)
        const headers = { authorization: peer.authorization }
        const file = await fetch(`${peer.url}/instances/${ID}/file`, { headers })
        files.set(tags.SOPInstanceUID, Buffer.from(await file.arrayBuffer()))
      }
      await peer.request('DELETE', `/studies/${study}`)
    }
    return files
  }
  const lookUp = async (uid: string) => {
    const query = { Level: 'Study', Query: { StudyInstanceUID: uid } }
    return await peer.request<string[]>('POST', '/tools/find', query)
  }
  const qido = (name: string) =>
    peer.request('POST', `/dicom-web/servers/${name}/qido`, { Uri: '/studies', Arguments: { PatientID: patientID } })
  const retrieve = (resource: { Study: string; Series?: string }) =>
    peer.request('POST', '/dicom-web/servers/hilum/retrieve', { Resources: [resource], Synchronous: true })
  return {
    name: 'Orthanc',
    services: {
      Verification: async () => (await peer.request('POST', '/modalities/hilum/echo', {}), passed()),
      'C-FIND, Patient Root': async () => (await find('Patient', { PatientID: patientID })).outcome,
      'C-FIND, Study Root': async () => (await find('Study', { StudyInstanceUID: sample.studyInstanceUID })).outcome,
      'C-MOVE': async () => {
        await move('ORTHANC', 'Series', sample)
        return when((await take(sample.studyInstanceUID)).has(sample.sopInstanceUID), 'Orthanc did not get it')
      },
      'Storage Commitment, report on another association': () => commitment(peer, sample),
      'TLS, with a client certificate': async () => (await peer.request('POST', '/modalities/tls/echo', {}), passed()),
      'QIDO-RS': async () => when(JSON.stringify(await qido('hilum')).includes(sample.studyInstanceUID), 'not found'),
      'WADO-RS': async () => {
        await retrieve({ Study: sample.studyInstanceUID, Series: sample.seriesInstanceUID })
        return when((await take(sample.studyInstanceUID)).has(sample.sopInstanceUID), 'Orthanc did not get it')
      },
    },
    refusals: {
      'Called AE title of another node': () => refusedWith(peer.request('POST', '/modalities/other/echo', {})),
      'C-MOVE to a destination that is not known': () => refusedWith(move('NOBODY', 'Series', sample)),
      'DICOMweb without credentials': () => refusedWith(qido('stranger')),
    },
    senders: [
      { protocol: 'C-STORE', send: (one) => sentBy(store(one)) },
      { protocol: 'STOW-RS', send: (one) => sentBy(stow(one)) },
    ],
    fetchers: [
      {
        protocol: 'C-MOVE',
        async fetch(samples): Promise<Fetched> {
          const [{ studyInstanceUID }] = samples as [Sample]
          await move('ORTHANC', 'Study', samples[0] as Sample).catch(() => undefined)
          const missing = () => refused('Orthanc, the destination, does not take the transfer syntax')
          return { files: await take(studyInstanceUID), missing }
        },
      },
      {
        protocol: 'WADO-RS',
        async fetch(samples): Promise<Fetched> {
          const [{ studyInstanceUID }] = samples as [Sample]
          await retrieve({ Study: studyInstanceUID })
          return { files: await take(studyInstanceUID), missing: () => failed('Orthanc did not get it') }
        },
      },
    ],
  }
}

async function commitment(peer: Setting['orthanc'], { sopInstanceUID, sopClassUID }: Sample): Promise<Outcome> {
  const { ID } = await peer.request<{ ID: string }>('POST', '/modalities/hilum/storage-commitment', {
    DicomInstances: [
      [sopClassUID, sopInstanceUID],
      [SOP.ctImage, '1.2.3.999'],
    ],
  })
  for (;;) {
    const report = await peer.request<{ Status: string; Success?: { SOPInstanceUID: string }[] }>(
      'GET',
      `/storage-commitment/${ID}`,
    )
    if (report.Status !== 'Pending')
      return when(report.Success?.[0]?.SOPInstanceUID === sopInstanceUID, 'the report is not right')
    await sleep(100)
  }
}

async function sentBy(sending: Promise<unknown>): Promise<Outcome> {
  try {
    await sending
    return passed()
  } catch (error) {
    const unable = /DIMSE Failed to send message/.test(String(error))
    return unable
      ? notOffered('Orthanc 1.10.1 does not propose the transfer syntax')
      : failed(String(error).slice(0, 200))
  }
}

async function refusedWith(asking: Promise<unknown>): Promise<Outcome> {
  try {
    await asking
    return failed('no refusal')
  } catch (error) {
    const { Details, Message } = JSON.parse(/\{[\s\S]*/.exec(String(error))?.[0] ?? '{}') as Record<string, string>
    const said = (Details ?? Message ?? '').replaceAll(/127\.0\.0\.1:\d+/g, 'the node').split('\n')[0]
    return refused(`Orthanc: ${said}`)
  }
}
