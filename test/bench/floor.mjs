/**
 * The floor of ingest on a machine: a bare program that receives C-STORE, one message after the other, writes each data set
 * behind a Part 10 header, syncs the file, and answers Success. It checks nothing, indexes nothing and knows no errors.
 *
 *   node test/bench/floor.mjs FOLDER PORT [--no-sync]
 */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

const [folder, port, flag] = process.argv.slice(2)
const sync = flag !== '--no-sync'
let files = 0

createServer((socket) => {
  socket.setNoDelay(true)
  let pending = Buffer.alloc(0)
  let command = Buffer.alloc(0)
  let request = null
  let fd = -1
  let name = ''

  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= 6 && pending.length >= 6 + pending.readUInt32BE(2)) {
      const end = 6 + pending.readUInt32BE(2)
      onPDU(pending[0], pending.subarray(6, end))
      pending = pending.subarray(end)
    }
  })

  function onPDU(type, body) {
    if (type === 1) socket.write(accept(body))
    else if (type === 5) socket.end(pdu(6, Buffer.alloc(4)))
    else if (type === 4) {
      for (let at = 0; at < body.length; ) {
        const length = body.readUInt32BE(at)
        onFragment(body[at + 4], body[at + 5], body.subarray(at + 6, at + 4 + length))
        at += 4 + length
      }
    }
  }

  function onFragment(context, control, bytes) {
    if (control & 1) {
      command = command.length === 0 ? bytes : Buffer.concat([command, bytes])
      if (!(control & 2)) return
      request = elementsOf(command)
      command = Buffer.alloc(0)
      name = path.join(folder, String(files++).padStart(8, '0'))
      fd = openSync(`${name}.part`, 'wx')
      writeSync(fd, part10Header)
      return
    }
    writeSync(fd, bytes)
    if (!(control & 2)) return
    renameSync(`${name}.part`, `${name}.dcm`)
    if (sync) fsyncSync(fd)
    closeSync(fd)
    socket.write(success(context, request))
  }
}).listen(Number(port), '127.0.0.1')

/** Preamble and the least of a file meta information, the same for all: what is written is what counts here. */
const part10Header = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(200)])

/** Elements of a command set (PS3.7 6.3.1): implicit VR little endian. */
function elementsOf(bytes) {
  const elements = new Map()
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    elements.set(bytes.readUInt16LE(at + 2), Buffer.from(bytes.subarray(at + 8, at + 8 + length)))
    at += 8 + length
  }
  return elements
}

function element(number, value) {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(number, 2)
  header.writeUInt32LE(value.length, 4)
  return Buffer.concat([header, value])
}

function uint16(value) {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

/** C-STORE-RSP with status Success (PS3.7 9.3.1.2), as one P-DATA-TF. */
function success(context, request) {
  const body = Buffer.concat([
    element(0x0002, request.get(0x0002)),
    element(0x0100, uint16(0x8001)),
    element(0x0120, request.get(0x0110)),
    element(0x0800, uint16(0x0101)),
    element(0x0900, uint16(0)),
    element(0x1000, request.get(0x1000)),
  ])
  const groupLength = Buffer.alloc(4)
  groupLength.writeUInt32LE(body.length)
  const value = Buffer.concat([element(0x0000, groupLength), body])
  const head = Buffer.alloc(6)
  head.writeUInt32BE(value.length + 2)
  head[4] = context
  head[5] = 3
  return pdu(4, Buffer.concat([head, value]))
}

/** A-ASSOCIATE-AC (PS3.8 9.3.3): every presentation context with its first transfer syntax. */
function accept(body) {
  const items = [item(0x10, Buffer.from('1.2.840.10008.3.1.1.1'))]
  for (let at = 68; at + 4 <= body.length; at += 4 + body.readUInt16BE(at + 2)) {
    if (body[at] !== 0x20) continue
    const context = body.subarray(at + 4, at + 4 + body.readUInt16BE(at + 2))
    for (let sub = 4; sub < context.length; sub += 4 + context.readUInt16BE(sub + 2)) {
      if (context[sub] !== 0x40) continue
      const syntax = context.subarray(sub, sub + 4 + context.readUInt16BE(sub + 2))
      items.push(item(0x21, Buffer.concat([Buffer.from([context[0], 0, 0, 0]), syntax])))
      break
    }
  }
  const maximumLength = Buffer.alloc(4)
  maximumLength.writeUInt32BE(131_072)
  const implementation = item(0x52, Buffer.from('2.25.1'))
  items.push(item(0x50, Buffer.concat([item(0x51, maximumLength), implementation])))
  return pdu(2, Buffer.concat([body.subarray(0, 68), ...items]))
}

function item(type, value) {
  const header = Buffer.alloc(4)
  header[0] = type
  header.writeUInt16BE(value.length, 2)
  return Buffer.concat([header, value])
}

function pdu(type, body) {
  const header = Buffer.alloc(6)
  header[0] = type
  header.writeUInt32BE(body.length, 2)
  return Buffer.concat([header, body])
}
