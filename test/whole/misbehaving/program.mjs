// A program of a pipeline that does what it is asked to: node program.mjs IN OUT MODE.
import { spawn } from 'node:child_process'
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'

const [input, output, mode] = process.argv.slice(2)
const forever = () => setInterval(() => {}, 1000)

/** An array in NumPy's own format, version 1.0. */
function npy(type, dims, bytes) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`
  const header = `${text.padEnd(117)}\n`
  const length = Buffer.alloc(2)
  length.writeUInt16LE(header.length)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), bytes])
}

const give = (type, dims, bytes) => writeFileSync(`${output}/result.npy`, npy(type, dims, bytes))

/** Children in sessions of their own, that outlive whoever does not look after them. */
function leaveChildren() {
  for (let n = 0; n < 3; n++) spawn('tail', ['-f', process.argv[1]], { detached: true, stdio: 'ignore' }).unref()
}

const modes = {
  good: () => copyFileSync(`${input}/image.npy`, `${output}/result.npy`),
  hang: forever,
  'hang-with-children': () => {
    leaveChildren()
    forever()
  },
  'good-but-leaves-children': () => {
    leaveChildren()
    copyFileSync(`${input}/ct/0001.dcm`, `${output}/annotated.dcm`)
    modes.good()
  },
  allocate: () => {
    const all = []
    setInterval(() => all.push(Buffer.alloc(16 * 2 ** 20, 1)), 5)
  },
  'allocate-at-once': () => {
    console.log(Buffer.alloc(2 ** 32, 1).length)
  },
  throw: () => {
    throw new Error('nothing to work on')
  },
  'exit-1': () => process.exit(1),
  crash: () => process.abort(),
  nothing: () => {},
  'wrong-type': () => give('<c16', [2], Buffer.alloc(32)),
  'wrong-shape': () => give('<f4', [3, 5], Buffer.alloc(60)),
  'not-a-number': () => give('<f4', [4, 16, 16], Buffer.from(new Float32Array(1024).fill(Number.NaN).buffer)),
  'fill-the-disk': () => setInterval(() => appendFileSync(`${output}/result.npy`, Buffer.alloc(2 ** 22)), 1),
  network: () =>
    connect(9, '192.0.2.1').on('error', (error) => {
      throw error
    }),
}
modes[mode]()
