import { TS } from '../../../src/dicom/transfer-syntax.ts'
import { runProgram } from '../../support/programs.ts'
import { startStorescp } from '../../support/storescp.ts'
import type { Client, Fetched, Known } from './client.ts'
import { failed, notOffered, type Outcome, passed, refused } from './outcome.ts'
import { filesBySOPInstance } from './receiving.ts'
import type { Sample } from './samples.ts'
import { newFolder, type Setting, storesOnly } from './setting.ts'

/** What gdcmscu 3.0.21 of Debian 12 dies of when it has released an association. */
const crash = /ProtocolStream as nullptr/

const crashes =
  'done and answered; gdcmscu 3.0.21 ends with an exception when it has released its association, against dcmtk’s storescp as well (see below)'

/** It takes uncompressed little endian, over one association. */
const taken: ReadonlySet<string> = new Set([TS.implicitVRLittleEndian, TS.explicitVRLittleEndian])

/** gdcmscu. */
export function gdcm(setting: Setting, known: Known): Client {
  const { node, destinations } = setting
  const { sample, patientID } = known
  const run = (...args: string[]) => runProgram('gdcmscu', args, { timeoutMs: 60_000 }).output
  const here = (aeTitle = 'HILUM') => ['--call', aeTitle, '127.0.0.1', String(node.dimsePort)]
  const done = (output: string, proof: RegExp): Outcome => {
    if (!proof.test(output)) return failed(`gdcmscu: ${lastLine(output)}`)
    return crash.test(output) ? passed(crashes) : passed()
  }
  const find = (...args: string[]) => done(run('-D', '--find', ...args, ...here()), /C-Find was successful/)
  const move = ({ studyInstanceUID, seriesInstanceUID }: Sample, into: string) => {
    const keys = ['--key', `20,d=${studyInstanceUID}`, '--key', `20,e=${seriesInstanceUID}`]
    const where = ['--aetitle', 'GDCM', '--port-scp', String(destinations.GDCM), '-o', into]
    return run('--move', '--studyroot', '--series', ...keys, ...where, ...here())
  }
  return {
    name: 'gdcm',
    services: {
      Verification: () => done(run('-D', '--echo', ...here()), /Process: Event:12/),
      'C-FIND, Patient Root': () => find('--patientroot', '--patient', '--key', `10,20=${patientID}`),
      'C-FIND, Study Root': () => find('--studyroot', '--study', '--key', `20,d=${sample.studyInstanceUID}`),
      'C-MOVE': () => {
        const folder = newFolder(setting, 'gdcm-move')
        const output = move(sample, folder)
        if (!filesBySOPInstance(folder).has(sample.sopInstanceUID)) return failed(`gdcmscu: ${lastLine(output)}`)
        return crash.test(output) ? passed(crashes) : passed()
      },
    },
    refusals: {
      'Called AE title of another node': () => noConnection(run('-V', '--echo', ...here('OTHER'))),
      'Query by a caller that may only store': () =>
        noConnection(
          run('-V', '--find', '--studyroot', '--study', '--aetitle', storesOnly, '--key', '20,d', ...here()),
        ),
    },
    senders: [
      {
        protocol: 'C-STORE',
        async send({ file }) {
          const output = run('-V', '--store', '-i', file, ...here())
          if (/Failed to establish/.test(output)) return notOffered('gdcmscu proposes nothing for this file')
          return crash.test(output) ? passed(crashes) : passed()
        },
      },
    ],
    fetchers: [
      {
        protocol: 'C-MOVE',
        async fetch(samples): Promise<Fetched> {
          const folder = newFolder(setting, 'gdcm-moves')
          for (const one of samples) if (taken.has(one.transferSyntaxUID)) move(one, folder)
          return {
            files: filesBySOPInstance(folder),
            missing: ({ transferSyntaxUID }) =>
              taken.has(transferSyntaxUID)
                ? failed('gdcmscu did not get it')
                : notOffered('gdcmscu takes uncompressed little endian only'),
          }
        },
      },
    ],
  }
}

/** What gdcmscu does against storescp, as the witness of its own defect. */
export async function gdcmAgainstStorescp(setting: Setting): Promise<string> {
  const receiver = await startStorescp(newFolder(setting, 'gdcm-witness'))
  try {
    const { output } = runProgram('gdcmscu', ['--echo', '--call', 'ANY', '127.0.0.1', String(receiver.port)])
    return crash.test(output) ? 'ends with the exception "ProtocolStream as nullptr is invalid"' : 'ends in order'
  } finally {
    await receiver.stop()
  }
}

function noConnection(output: string): Outcome {
  const said = /Failed to establish connection|No valid network connection/.exec(output)?.[0]
  return said === undefined ? failed(`no refusal: ${lastLine(output)}`) : refused(`gdcm: ${said}`)
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1) ?? ''
