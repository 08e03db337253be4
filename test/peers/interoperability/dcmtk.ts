import { TS } from '../../../src/dicom/transfer-syntax.ts'
import { runProgram } from '../../support/programs.ts'
import type { Client, Fetched, Known } from './client.ts'
import { failed, notOffered, type Outcome, refused, when } from './outcome.ts'
import { filesBySOPInstance, receivedBy, receiving } from './receiving.ts'
import type { Sample } from './samples.ts'
import { newFolder, type Setting, storesOnly } from './setting.ts'

/** How storescu is told to propose a syntax, and getscu, with + for -, to prefer it. */
const options: Readonly<Record<string, string>> = {
  [TS.implicitVRLittleEndian]: 'xi',
  [TS.explicitVRLittleEndian]: 'xe',
  [TS.deflated]: 'xd',
  [TS.explicitVRBigEndian]: 'xb',
  [TS.jpegBaseline]: 'xy',
  [TS.jpegExtended]: 'xx',
  [TS.jpegLossless]: 'xs',
  [TS.jpegLSLossless]: 'xt',
  [TS.jpegLSNearLossless]: 'xu',
  [TS.jpeg2000Lossless]: 'xv',
  [TS.jpeg2000]: 'xw',
  [TS.rle]: 'xr',
}

const unknownSyntax = 'dcmtk 3.6.7 does not know the transfer syntax'

/** dcmtk's echoscu, storescu, findscu, movescu and getscu. */
export function dcmtk(setting: Setting, known: Known): Client {
  const { node, ca, client, tlsPort, user } = setting
  const { sample, other, patientID } = known
  const here = (aeTitle = 'HILUM', port = node.dimsePort) => ['-aec', aeTitle, '127.0.0.1', String(port)]
  const studyKeys = ['-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${sample.studyInstanceUID}`]
  const run = (program: string, ...args: string[]) =>
    runProgram(program, args, { env: { TCP_NODELAY: '1' }, timeoutMs: 60_000 })
  const done = (program: string, ...args: string[]): Outcome => {
    const { code, output } = run(program, ...args)
    return when(code === 0, `${program}: ${lastLine(output)}`)
  }
  const find = (model: string, level: string, expected: string): Outcome => {
    const keys = ['-k', `QueryRetrieveLevel=${level}`, '-k', `PatientID=${patientID}`, '-k', 'PatientName']
    const uid = level === 'STUDY' ? ['-k', 'StudyInstanceUID'] : []
    const { output } = run('findscu', '-v', model, ...here(), ...keys, ...uid)
    return when(output.includes(`[${expected}`), 'findscu does not show what it looked for')
  }
  const tls = ['+tls', client.key, client.certificate, '+cf', ca]

  const move = (level: string, ...keys: string[]) =>
    run('movescu', '-S', ...here(), '-aem', 'STORESCP', '-k', `QueryRetrieveLevel=${level}`, ...keys)

  return {
    name: 'dcmtk',
    services: {
      Verification: () => done('echoscu', ...here()),
      'C-FIND, Patient Root': () => find('-P', 'PATIENT', patientID),
      'C-FIND, Study Root': () => find('-S', 'STUDY', sample.studyInstanceUID),
      'C-MOVE': () =>
        receivedBy(setting, 'dcmtk-move', sample.sopInstanceUID, async () => {
          move('SERIES', ...seriesKeys(sample))
        }),
      'C-GET': () => {
        const folder = newFolder(setting, 'dcmtk-get')
        run('getscu', '-S', '+B', '+xe', '-od', folder, ...here(), ...studyKeys)
        return when(filesBySOPInstance(folder).has(sample.sopInstanceUID), 'getscu did not get it')
      },
      'TLS, with a client certificate': () => done('echoscu', ...tls, ...here('HILUM', tlsPort)),
      'User identity, name and passcode': () =>
        done('storescu', '-xi', '-usr', user[0], '-pwd', user[1], '-rsp', ...here(), other.file),
    },
    refusals: {
      'Called AE title of another node': () =>
        refusedWith(run('echoscu', '-v', ...here('OTHER')).output, /Called AE Title Not Recognized/),
      'Query by a caller that may only store': () =>
        refusedWith(run('findscu', '-v', '-aet', storesOnly, '-S', ...here(), ...studyKeys).output, /No Reason/),
      'C-MOVE to a destination that is not known': () =>
        refusedWith(
          run('movescu', '-v', '-S', ...here(), '-aem', 'NOBODY', ...studyKeys).output,
          /MoveDestinationUnknown/,
        ),
      'TLS without a client certificate': () =>
        refusedWith(
          run('echoscu', '-v', '+tla', '+cf', ca, ...here('HILUM', tlsPort)).output,
          /Peer aborted Association/,
        ),
      'User identity with a wrong passcode': () =>
        refusedWith(
          run('storescu', '-v', '-xi', '-usr', user[0], '-pwd', 'wrong', '-rsp', ...here(), other.file).output,
          /No Reason/,
        ),
    },
    senders: [
      {
        protocol: 'C-STORE',
        async send({ transferSyntaxUID, file }) {
          const option = options[transferSyntaxUID]
          return option === undefined
            ? notOffered(unknownSyntax)
            : done('storescu', '-R', `-${option}`, ...here(), file)
        },
      },
    ],
    fetchers: [
      {
        protocol: 'C-GET',
        async fetch(samples): Promise<Fetched> {
          const folder = newFolder(setting, 'dcmtk-gets')
          for (const { transferSyntaxUID, studyInstanceUID, seriesInstanceUID } of samples) {
            const option = options[transferSyntaxUID]
            const keys = ['-k', `StudyInstanceUID=${studyInstanceUID}`, '-k', `SeriesInstanceUID=${seriesInstanceUID}`]
            if (option === undefined) continue
            run(
              'getscu',
              '-S',
              '+B',
              `+${option}`,
              '-od',
              folder,
              ...here(),
              '-k',
              'QueryRetrieveLevel=SERIES',
              ...keys,
            )
          }
          return {
            files: filesBySOPInstance(folder),
            missing: ({ transferSyntaxUID: uid }) =>
              options[uid] === undefined ? notOffered(unknownSyntax) : failed('getscu did not get it'),
          }
        },
      },
      {
        protocol: 'C-MOVE',
        async fetch(samples): Promise<Fetched> {
          const folder = newFolder(setting, 'dcmtk-moves')
          await receiving(setting, folder, async () => {
            move('STUDY', '-k', `StudyInstanceUID=${samples[0]?.studyInstanceUID}`)
          })
          return {
            files: filesBySOPInstance(folder),
            missing: () => refused('storescp, the destination, does not take the transfer syntax'),
          }
        },
      },
    ],
  }
}

const seriesKeys = ({ studyInstanceUID, seriesInstanceUID }: Sample): string[] => [
  '-k',
  `StudyInstanceUID=${studyInstanceUID}`,
  '-k',
  `SeriesInstanceUID=${seriesInstanceUID}`,
]

function refusedWith(output: string, reason: RegExp): Outcome {
  const found = reason.exec(output)?.[0]
  return found === undefined ? failed(`no refusal: ${lastLine(output)}`) : refused(`dcmtk: ${found.trim()}`)
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1) ?? ''
