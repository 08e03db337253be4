import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { api } from 'dicomweb-client'
import type { DicomJson } from '../../../src/dicom/dicom-json.ts'
import { adminToken } from '../../support/node-process.ts'
import type { Client, Fetched, Known } from './client.ts'
import { failed, type Outcome, passed, refused, when } from './outcome.ts'
import { compare, type Sample } from './samples.ts'
import type { Setting } from './setting.ts'

// dicomweb-client is written for browsers: it takes XMLHttpRequest from the global object.
Object.assign(globalThis, { XMLHttpRequest: createRequire(import.meta.url)('xhr2') })

/** Its declared types ask for options that it does not need. */
type WebClient = Record<
  'searchForStudies' | 'retrieveInstance' | 'retrieveStudy' | 'storeInstances',
  (options?: object) => Promise<unknown>
>

/** dicomweb-client, the library of OHIF. */
export function web({ node }: Setting, known: Known): Client {
  const { patientID, sample } = known
  const clientWith = (headers: Record<string, string>) =>
    new api.DICOMwebClient({
      url: `${node.url}/dicomweb`,
      verbose: false,
      singlepart: '',
      headers,
    }) as unknown as WebClient
  const client = clientWith({ authorization: `Bearer ${adminToken}` })
  const stow = async ({ file }: Sample): Promise<Outcome> => {
    await client.storeInstances({ datasets: [new Uint8Array(readFileSync(file)).buffer] })
    return passed()
  }
  const wado = async (one: Sample) => Buffer.from((await client.retrieveInstance(one)) as ArrayBuffer)
  return {
    name: 'dicomweb-client',
    services: {
      'QIDO-RS': async () => {
        const found = (await client.searchForStudies({ queryParams: { PatientID: patientID } })) as DicomJson[]
        return when(found[0]?.['0020000D']?.Value?.[0] === sample.studyInstanceUID, 'not found')
      },
      'WADO-RS': async () => when(compare(sample, await wado(sample)) === 'identical', 'not the same bytes'),
    },
    refusals: {
      'DICOMweb without credentials': async () => {
        const error = await clientWith({})
          .searchForStudies()
          .catch((thrown: { status?: number }) => thrown)
        return (error as { status?: number }).status === 401 ? refused('HTTP 401') : failed('no refusal')
      },
    },
    senders: [{ protocol: 'STOW-RS', send: stow }],
    fetchers: [
      {
        protocol: 'WADO-RS',
        async fetch(samples): Promise<Fetched> {
          const files = new Map<string, Buffer>()
          for (const one of samples) files.set(one.sopInstanceUID, await wado(one))
          return { files, missing: () => failed('dicomweb-client did not get it') }
        },
      },
    ],
  }
}
