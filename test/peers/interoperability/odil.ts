import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { runProgram } from '../../support/programs.ts'
import type { Client, Fetched, Known } from './client.ts'
import { failed, notOffered, type Outcome, passed, refused, when } from './outcome.ts'
import { filesBySOPInstance, receivedBy } from './receiving.ts'
import { newFolder, type Setting, storesOnly } from './setting.ts'

interface Answer {
  value?: unknown
  error?: string
}

/** odil by its Python module: see odil_client.py. */
export function odil(setting: Setting, known: Known): Client {
  const { node, user } = setting
  const { patientID, sample } = known
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID, transferSyntaxUID } = sample

  function run(...tasks: unknown[][]): Answer[] {
    const script = path.join(import.meta.dirname, 'odil_client.py')
    const args = [script, String(node.dimsePort)]
    const done = spawnSync('/usr/bin/python3', args, {
      input: JSON.stringify(tasks),
      encoding: 'utf8',
      timeout: 60_000,
    })
    if (done.status !== 0) return tasks.map(() => ({ error: `python ended with ${done.signal ?? done.status}` }))
    return JSON.parse(done.stdout) as Answer[]
  }
  const did = (...task: unknown[]): Outcome => {
    const [answer] = run(task)
    return answer?.value === true ? passed() : failed(`odil: ${answer?.error ?? 'not what was expected'}`)
  }
  const got = (...task: unknown[]): Outcome => {
    const [answer] = run(task)
    const uids = Array.isArray(answer?.value) ? answer.value : []
    return when(uids.includes(sopInstanceUID), `odil: ${answer?.error ?? 'it did not get the instance'}`)
  }
  const isRefused = (...task: unknown[]): Outcome => {
    const [answer] = run(task)
    return answer?.error === undefined ? failed('no refusal') : refused(`odil: ${answer.error}`)
  }
  return {
    name: 'odil',
    services: {
      Verification: () => did('echo'),
      'C-FIND, Patient Root': () => did('find', 'PATIENT', patientID, studyInstanceUID),
      'C-FIND, Study Root': () => did('find', 'STUDY', patientID, studyInstanceUID),
      'C-MOVE': () =>
        receivedBy(setting, 'odil-move', sopInstanceUID, async () => {
          did('move', 'STORESCP', studyInstanceUID, seriesInstanceUID)
        }),
      'C-GET': () => got('get', studyInstanceUID, seriesInstanceUID, [[sopClassUID, transferSyntaxUID]]),
      'Storage Commitment, report on the same association': () => {
        const args = ['1.2.3.4.5', sopClassUID, sopInstanceUID]
        const { output } = runProgram('python3', ['test/peers/commit.py', String(node.dimsePort), ...args])
        return when(output.includes(`"committed": ["${sopInstanceUID}"]`), `odil: ${output.slice(0, 200)}`)
      },
      MPPS: () => did('mpps', '1.2.3.4.6', studyInstanceUID),
      'Instance Availability Notification': () => did('availability', studyInstanceUID, SOP.ctImage, '1.2.3.4.7'),
      'User identity, name and passcode': () => did('echo', 'HILUM', user),
    },
    refusals: {
      'Called AE title of another node': () => isRefused('echo', 'OTHER'),
      'Query by a caller that may only store': () =>
        isRefused('find', 'STUDY', patientID, studyInstanceUID, storesOnly),
      'User identity with a wrong passcode': () => isRefused('echo', 'HILUM', [user[0], 'wrong']),
    },
    senders: [
      {
        protocol: 'C-STORE',
        async send({ file }) {
          const [answer] = run(['store', file])
          if (answer?.value === true) return passed()
          return notOffered(`odil does not read the file (${answer?.error ?? ''})`)
        },
      },
    ],
    fetchers: [
      {
        protocol: 'C-GET',
        async fetch(samples): Promise<Fetched> {
          const folder = newFolder(setting, 'odil-gets')
          run(
            ...samples.map((one) => {
              const pairs = [[one.sopClassUID, one.transferSyntaxUID]]
              return ['get', one.studyInstanceUID, one.seriesInstanceUID, pairs, folder]
            }),
          )
          return {
            files: filesBySOPInstance(folder),
            missing: () => notOffered('odil does not read deflated data sets'),
          }
        },
      },
    ],
  }
}
