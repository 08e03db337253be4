import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { explicit, implicit } from './soak-instances.mjs'

/**
 * What clients do again and again. Each takes the soak's context, and returns what was acknowledged, and what may have been kept
 * without an acknowledgement.
 */
export const clients = {
  storescu: { everyMs: 700, run: storescu },
  'storescu, second': { everyMs: 900, run: storescu },
  'storescu, large': { everyMs: 5000, run: (soak) => storescu(soak, { count: 3, large: true }) },
  'storescu, real files again': { everyMs: 20_000, run: storescuAgain },
  gdcmscu: { everyMs: 3000, run: gdcmscu },
  odil: { everyMs: 3000, run: odil },
  'hilum send': { everyMs: 1000, run: hilumSend },
  'STOW-RS': { everyMs: 1500, run: stow },
  'broken off': { everyMs: 500, run: brokenOff },
  'C-ECHO': { everyMs: 2000, run: echo },
  'C-FIND': { everyMs: 2000, run: find },
}

async function program(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, TCP_NODELAY: '1', ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output = (output + text).slice(-100_000)
    })
  const [code, signal] = await once(child, 'close')
  return { code, signal, output }
}

const to = ({ port }) => ['127.0.0.1', String(port)]

/** storescu stops at the first failure: as many successes as it tells of are the first ones. */
async function storescu(soak, { count = 20, large = false } = {}) {
  const transferSyntax = Math.random() < 0.3 ? implicit : explicit
  const batch = soak.maker.write(count, { transferSyntax, large })
  const option = transferSyntax === implicit ? '-xi' : '-xe'
  const { code, output } = await program('storescu', [
    '-v',
    '-R',
    option,
    '-aec',
    'HILUM',
    ...to(soak),
    '+sd',
    batch.folder,
  ])
  rmSync(batch.folder, { recursive: true })
  const successes = output.split('Received Store Response (Success)').length - 1
  if (code === 0 && successes === count) return { acknowledged: batch.uids, maybe: [] }
  // The order in which it goes through a folder is its own.
  return { acknowledged: [], maybe: batch.uids, failed: `storescu: exit ${code}, ${successes} of ${count}` }
}

/** The same real files every time: they have to stay one instance each. */
async function storescuAgain(soak) {
  if (!soak.realFolder) return null
  const { code } = await program('storescu', ['-R', '-xt', '-aec', 'HILUM', ...to(soak), '+sd', '+r', soak.realFolder])
  if (code === 0) return { acknowledged: soak.realUIDs, maybe: [], again: true }
  return { acknowledged: [], maybe: soak.realUIDs, again: true, failed: `storescu, real files: exit ${code}` }
}

/**
 * gdcmscu 3.0.21 as Debian builds it ends with an abort in its own destructor, after the release, whoever it talks to. Nobody learns from
 * it whether its files were taken: they are looked for in the end.
 */
async function gdcmscu(soak) {
  const batch = soak.maker.write(5)
  const files = batch.files.map(({ file }) => file)
  const args = ['--store', '--call', 'HILUM', '--aetitle', 'GDCM', ...to(soak), ...files]
  const { code, signal, output } = await program('gdcmscu', args)
  rmSync(batch.folder, { recursive: true })
  const reachedEnd = code === 0 || (signal === 'SIGABRT' && output.includes('ProtocolStream as nullptr'))
  if (reachedEnd) return { acknowledged: batch.uids, maybe: [] }
  return { acknowledged: [], maybe: batch.uids, failed: `gdcmscu: exit ${code ?? signal}` }
}

const odilProgram = `
import sys, odil
P = odil.AssociationParameters.PresentationContext
association = odil.Association()
association.set_peer_host(sys.argv[1]); association.set_peer_port(int(sys.argv[2]))
contexts = [P(1, odil.registry.Verification, [odil.registry.ImplicitVRLittleEndian], P.Role.SCU),
            P(3, odil.registry.CTImageStorage, [odil.registry.ExplicitVRLittleEndian], P.Role.SCU)]
association.update_parameters().set_calling_ae_title(b"ODIL").set_called_ae_title(b"HILUM").set_presentation_contexts(contexts)
association.associate()
echo = odil.EchoSCU(association); echo.set_affected_sop_class(odil.registry.Verification); echo.echo()
store = odil.StoreSCU(association)
for name in sys.argv[3:]:
    with odil.open(name) as stream: header, dataset = odil.Reader.read_file(stream)
    store.set_affected_sop_class(dataset); store.store(dataset); print("stored", flush=True)
association.release()
`

async function odil(soak) {
  const batch = soak.maker.write(5)
  const files = batch.files.map(({ file }) => file)
  const { code, output } = await program('/usr/bin/python3', ['-c', odilProgram, ...to(soak), ...files])
  rmSync(batch.folder, { recursive: true })
  const stored = output.split('stored').length - 1
  const failed = code === 0 ? {} : { failed: `odil: exit ${code}` }
  return { acknowledged: batch.uids.slice(0, stored), maybe: batch.uids.slice(stored), ...failed }
}

async function hilumSend(soak) {
  const batch = soak.maker.write(20)
  const peer = { host: '127.0.0.1', port: soak.port, callingAETitle: 'HILUM-SEND', calledAETitle: 'HILUM' }
  const { files } = await soak.sendInstances({ ...peer, files: batch.files.map(({ file }) => file) })
  rmSync(batch.folder, { recursive: true })
  const stored = (at) => files[at].status === 0
  const failures = files.filter((file) => file.status !== 0)
  return {
    acknowledged: batch.uids.filter((_, at) => stored(at)),
    maybe: batch.uids.filter((_, at) => !stored(at)),
    ...(failures.length > 0 && { failed: `hilum send: ${failures[0].reason}` }),
  }
}

async function stow(soak) {
  const instances = Array.from({ length: 10 }, () => soak.maker.make())
  const parts = instances.flatMap(({ bytes }) => [
    Buffer.from('\r\n--b\r\nContent-Type: application/dicom\r\n\r\n'),
    bytes,
  ])
  const uids = instances.map(({ uid }) => uid)
  const response = await fetch(`${soak.url}/dicomweb/studies`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${soak.token}`,
      'content-type': 'multipart/related; type="application/dicom"; boundary=b',
    },
    body: Buffer.concat([...parts, Buffer.from('\r\n--b--')]),
  })
  await response.text()
  if (response.status === 200) return { acknowledged: uids, maybe: [] }
  return { acknowledged: [], maybe: uids, failed: `STOW-RS: HTTP ${response.status}` }
}

/** An association that ends in the middle of its second instance; the first one may be kept. */
async function brokenOff(soak) {
  const [first, second] = [soak.maker.make(), soak.maker.make()]
  const socket = connect(soak.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(soak.associationRequest)
  const stores = [first, second].map(({ uid, bytes, offset }) => soak.storePDUs(uid, bytes.subarray(offset)))
  const all = Buffer.concat(stores)
  socket.write(all.subarray(0, all.length - 1000 - Math.trunc(Math.random() * 3000)))
  await sleep(50 + Math.random() * 200)
  if (Math.random() < 0.5) socket.resetAndDestroy()
  else socket.destroy()
  return { acknowledged: [], maybe: [first.uid] }
}

async function echo(soak) {
  const { code } = await program('echoscu', ['-aec', 'HILUM', ...to(soak)])
  return { acknowledged: [], maybe: [], ...(code !== 0 && { failed: `echoscu: exit ${code}` }) }
}

/** Only where the node offers it: otherwise its answer says so, and that is all right. */
async function find(soak) {
  const keys = [
    '-k',
    'QueryRetrieveLevel=STUDY',
    '-k',
    `PatientID=S${Math.trunc(Math.random() * 500)}`,
    '-k',
    'StudyInstanceUID',
  ]
  const { code, output } = await program('findscu', ['-v', '-S', '-aec', 'HILUM', ...keys, ...to(soak)])
  const isOffered = !/No Acceptable Presentation Contexts|No presentation context/i.test(output)
  return { acknowledged: [], maybe: [], ...(code !== 0 && isOffered && { failed: `findscu: exit ${code}` }) }
}

/** Programs that are there. */
export function missingPrograms(isThere) {
  return ['storescu', 'echoscu', 'findscu', 'gdcmscu', '/usr/bin/python3'].filter((name) => !isThere(name))
}

/** Real files, in JPEG-LS, with their UIDs as the node reads them. */
export function realFiles(folder, readUID) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readUID(`${entry.parentPath}/${entry.name}`))
}
