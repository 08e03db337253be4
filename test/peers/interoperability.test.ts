import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transferSyntax } from '../../src/dicom/transfer-syntax.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { sharedData } from '../support/data.ts'
import { generatedParts, writeParts, writesDocuments } from '../support/generated-document.ts'
import { adminToken } from '../support/node-process.ts'
import { available, runProgram } from '../support/programs.ts'
import { type Client, type Fetcher, refusals, type Sender, services } from './interoperability/client.ts'
import { dcmtk } from './interoperability/dcmtk.ts'
import { gdcm, gdcmAgainstStorescp } from './interoperability/gdcm.ts'
import { odil } from './interoperability/odil.ts'
import { orthanc } from './interoperability/orthanc.ts'
import { failed, type Matrix, matrixText, type Outcome, outcomeOf, passed } from './interoperability/outcome.ts'
import { own } from './interoperability/own.ts'
import { compare, makeSamples, type Sample, sampledSyntaxes } from './interoperability/samples.ts'
import { type Setting, startSetting } from './interoperability/setting.ts'
import { versions } from './interoperability/versions.ts'
import { web } from './interoperability/web.ts'

const page = 'docs/interoperability.md'
const data = sharedData()
const hasOdil = runProgram('python3', ['-c', 'import odil, pydicom']).code === 0
const programs = ['storescu', 'storescp', 'findscu', 'movescu', 'getscu', 'gdcmscu', 'Orthanc', 'openssl']
const ready = available(...programs, '/usr/share/orthanc/plugins/libOrthancDicomWeb.so', data) && hasOdil

/** Columns of what is sent, each with samples of its own. */
const sending = [
  'dcmtk C-STORE',
  'gdcm C-STORE',
  'odil C-STORE',
  'Orthanc C-STORE',
  'Hilum C-STORE',
  'Orthanc STOW-RS',
  'dicomweb-client STOW-RS',
  'Hilum STOW-RS',
]
/** The patient whose study is queried and retrieved. */
const knownPatient = 'KNOWN'

// The document is what is expected: an outcome that changes makes its test fail.
describe.skipIf(!ready)(`${page} says what happens`, () => {
  let setting: Setting
  let samples: Map<string, Sample[]>
  let clients: Client[] = []
  const written: Record<string, string> = {}
  const expected = generatedParts(page)

  beforeAll(async () => {
    setting = await startSetting()
    samples = makeSamples(data as string, setting.folder, [knownPatient, ...sending])
    const all = samplesOf(knownPatient)
    const to = { host: '127.0.0.1', port: setting.node.dimsePort, callingAETitle: 'OWN', calledAETitle: 'HILUM' }
    const { stored } = await sendInstances({ ...to, files: all.map(({ file }) => file) })
    if (stored !== all.length) throw new Error('the samples could not be stored')
    const known = { patientID: knownPatient, sample: all[1] as Sample, other: all[0] as Sample }
    clients = [
      dcmtk(setting, known),
      gdcm(setting, known),
      odil(setting, known),
      await orthanc(setting, known),
      web(setting, known),
      own(setting, known),
    ]
  })
  afterAll(async () => {
    if (writesDocuments) writeParts(page, { ...written, versions: versions() })
    await setting?.dispose()
  })

  const samplesOf = (name: string): Sample[] => samples.get(name) ?? []
  const sent = new Map<string, Map<string, Outcome>>()

  it('when every transfer syntax is sent', async () => {
    for (const sender of clients.flatMap(sendersOf)) {
      const outcomes = new Map<Sample, Outcome>()
      for (const sample of samplesOf(sender.name)) outcomes.set(sample, await outcomeOf(() => sender.send(sample)))
      for (const [sample, outcome] of outcomes) {
        const kept = outcome.result === 'passed' ? withNote(await kindOfStored(sample), outcome.note) : outcome
        setCell(sent, rowOf(sample.transferSyntaxUID), sender.name, kept)
      }
    }
    check('storage', { title: 'Transfer syntax', rows: sampledSyntaxes.map(rowOf), columns: sending, cells: sent })
  })

  it('when every transfer syntax is retrieved as it is stored', async () => {
    const cells = new Map<string, Map<string, Outcome>>()
    const all = clients.flatMap(fetchersOf)
    for (const fetcher of all) {
      const known = samplesOf(knownPatient)
      const fetched = await fetcher.fetch(known)
      for (const sample of known) {
        const bytes = fetched.files.get(sample.sopInstanceUID)
        const outcome = bytes === undefined ? fetched.missing(sample) : asSent(sample, bytes)
        setCell(cells, rowOf(sample.transferSyntaxUID), fetcher.name, outcome)
      }
    }
    const columns = all.map(({ name }) => name)
    check('retrieval', { title: 'Transfer syntax', rows: sampledSyntaxes.map(rowOf), columns, cells })
  })

  it('when every service is used', async () => {
    const cells = new Map<string, Map<string, Outcome>>()
    for (const { name, services: offered } of clients) {
      for (const [service, act] of Object.entries(offered)) setCell(cells, service, name, await outcomeOf(act))
      // Explicit VR little endian stands for all.
      const ofSyntax = sent.get(rowOf(sampledSyntaxes[1] ?? ''))
      for (const [service, protocol] of [
        ['Storage', 'C-STORE'],
        ['STOW-RS', 'STOW-RS'],
      ] as const) {
        const outcome = ofSyntax?.get(`${name} ${protocol}`)
        if (outcome) setCell(cells, service, name, outcome)
      }
    }
    check('services', { title: 'Service', rows: [...services], columns: clients.map(({ name }) => name), cells })
  })

  it('when something has to be refused', async () => {
    const cells = new Map<string, Map<string, Outcome>>()
    for (const { name, refusals: tried } of clients)
      for (const [refusal, act] of Object.entries(tried)) setCell(cells, refusal, name, await outcomeOf(act))
    check('refusals', {
      title: 'What is tried',
      rows: [...refusals],
      columns: clients.map(({ name }) => name),
      untried: 'not tried',
      cells,
    })
  })

  it('when gdcmscu speaks to dcmtk’s storescp instead', async () => {
    const text = `\`gdcmscu --echo\` against dcmtk’s storescp: ${await gdcmAgainstStorescp(setting)}.`
    compareOrKeep('gdcm', text)
  })

  function check(name: string, matrix: Matrix): void {
    compareOrKeep(name, matrixText(matrix))
    const outcomes = [...matrix.cells.values()].flatMap((row) => [...row.values()])
    expect(outcomes.filter(({ result }) => result === 'passed' || result === 'refused').length).toBeGreaterThan(0)
  }

  function compareOrKeep(name: string, text: string): void {
    if (writesDocuments) written[name] = text
    else expect(text.split('\n')).toEqual((expected.get(name) ?? '').split('\n'))
  }

  /** What the node holds of a sample that it has acknowledged. */
  async function kindOfStored(sample: Sample): Promise<Outcome> {
    const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = sample
    const where = `/dicomweb/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`
    const headers = { accept: 'application/dicom; transfer-syntax=*', authorization: `Bearer ${adminToken}` }
    // The index is written off the acknowledgement's path: the instance is there within moments.
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      const response = await setting.node.fetch(where, { headers })
      const bytes = Buffer.from(await response.arrayBuffer())
      if (response.ok) return asSent(sample, bytes)
      await sleep(50)
    }
    return failed('acknowledged, and not there')
  }
})

const rowOf = (uid: string): string => `${transferSyntax(uid).name}, ${uid}`

const sendersOf = ({ name, senders }: Client): (Sender & { name: string })[] =>
  senders.map((sender) => ({ ...sender, name: `${name} ${sender.protocol}` }))

const fetchersOf = ({ name, fetchers }: Client): (Fetcher & { name: string })[] =>
  fetchers.map((fetcher) => ({ ...fetcher, name: `${name} ${fetcher.protocol}` }))

function asSent(sample: Sample, bytes: Buffer): Outcome {
  const found = compare(sample, bytes)
  if (found === 'identical') return passed()
  if (found === 'same pixel data')
    return passed('the client writes the data set anew; the pixel data is the same, byte for byte')
  if (found === 'converted')
    return passed(
      'the client takes another uncompressed transfer syntax, which Hilum converts to; the pixel data is the same',
    )
  return failed('it is not what was sent')
}

function withNote(outcome: Outcome, note: string | undefined): Outcome {
  if (note === undefined) return outcome
  return { ...outcome, note: outcome.note === undefined ? note : `${note}; ${outcome.note}` }
}

function setCell(cells: Map<string, Map<string, Outcome>>, row: string, column: string, outcome: Outcome): void {
  cells.set(row, (cells.get(row) ?? new Map<string, Outcome>()).set(column, outcome))
}
