import { type CommandElement, encodeCommandElement, padded, uint16, uint32 } from './encode.ts'
import type { Random } from './random.ts'
import { commitmentInstance, service, storage, verification } from './uids.ts'

/** Command Field values (PS3.7 E.1). */
export const field = {
  store: 0x0001,
  get: 0x0010,
  find: 0x0020,
  move: 0x0021,
  echo: 0x0030,
  eventReport: 0x0100,
  nGet: 0x0110,
  nSet: 0x0120,
  nAction: 0x0130,
  nCreate: 0x0140,
  nDelete: 0x0150,
  cancel: 0x0fff,
} as const

export const noDataSet = 0x0101

/** A command set before it is encoded. */
export type CommandSpec = CommandElement[]

const uid = (element: number, text: string): CommandElement => ({ element, value: padded(text, 0) })
const us = (element: number, value: number): CommandElement => ({ element, value: uint16(value) })

/** A command set with the right group length in front (PS3.7 6.3.1). */
export function encodeCommand(spec: CommandSpec): Buffer {
  const body = Buffer.concat(spec.map(encodeCommandElement))
  return Buffer.concat([encodeCommandElement({ element: 0, value: uint32(body.length) }), body])
}

export function storeCommand(options: { sopClass: string; sopInstance: string; messageID: number }): CommandSpec {
  return [
    uid(0x0002, options.sopClass),
    us(0x0100, field.store),
    us(0x0110, options.messageID),
    us(0x0700, 0),
    us(0x0800, 0),
    uid(0x1000, options.sopInstance),
  ]
}

export const echoCommand = (messageID: number): CommandSpec => [
  uid(0x0002, verification),
  us(0x0100, field.echo),
  us(0x0110, messageID),
  us(0x0800, noDataSet),
]

/** A request of another service, with what its data set should hold. */
export interface ServiceCommand {
  sopClass: string
  command: CommandSpec
  dataSet: 'query' | 'commitment' | 'procedure-step' | 'availability' | null
}

const query = (commandField: number, sopClass: string, messageID: number): CommandSpec => [
  uid(0x0002, sopClass),
  us(0x0100, commandField),
  us(0x0110, messageID),
  ...(commandField === field.move ? [{ element: 0x0600, value: padded('FUZZER', 0x20) }] : []),
  us(0x0700, 0),
  us(0x0800, 0),
]

/** A well-formed request of one of the services (PS3.4 C, F, H, J, R), whether the node offers it or not. */
export function serviceCommand(random: Random, messageID: number, sopInstance: string): ServiceCommand {
  switch (random.between(0, 9)) {
    case 0:
    case 1: {
      const sopClass = random.pick([service.patientFind, service.studyFind, service.worklist])
      return { sopClass, command: query(field.find, sopClass, messageID), dataSet: 'query' }
    }
    case 2: {
      const sopClass = random.pick([service.patientMove, service.studyMove])
      return { sopClass, command: query(field.move, sopClass, messageID), dataSet: 'query' }
    }
    case 3: {
      const sopClass = random.pick([service.patientGet, service.studyGet])
      return { sopClass, command: query(field.get, sopClass, messageID), dataSet: 'query' }
    }
    case 4: {
      const command = [us(0x0100, field.cancel), us(0x0120, random.between(0, 5)), us(0x0800, noDataSet)]
      return { sopClass: service.studyFind, command, dataSet: null }
    }
    case 5: {
      const command = normalized(field.nAction, {
        sopClass: service.commitment,
        messageID,
        instance: commitmentInstance,
      })
      return { sopClass: service.commitment, command: [...command, us(0x1008, 1)], dataSet: 'commitment' }
    }
    case 6: {
      const command = normalized(field.nCreate, { sopClass: service.mpps, messageID, instance: sopInstance })
      return { sopClass: service.mpps, command, dataSet: 'procedure-step' }
    }
    case 7: {
      const command = normalized(field.nSet, { sopClass: service.mpps, messageID, instance: sopInstance })
      return { sopClass: service.mpps, command, dataSet: 'procedure-step' }
    }
    case 8: {
      const command = normalized(field.nCreate, { sopClass: service.availability, messageID, instance: sopInstance })
      return { sopClass: service.availability, command, dataSet: 'availability' }
    }
    default: {
      const commandField = random.pick([field.nGet, field.nDelete, field.eventReport, field.nSet, field.nAction])
      const sopClass = random.pick([service.mpps, service.commitment, service.basicFilm, storage.ct, verification])
      const command = normalized(commandField, { sopClass, messageID, instance: sopInstance })
      if (random.chance(0.5)) return { sopClass, command, dataSet: 'procedure-step' }
      return { sopClass, command: withDataSet(command, false), dataSet: null }
    }
  }
}

/** N-CREATE and N-EVENT-REPORT name the affected instance, the others the requested one (PS3.7 10.3). */
function normalized(
  commandField: number,
  options: { sopClass: string; messageID: number; instance: string },
): CommandSpec {
  const affected = commandField === field.nCreate || commandField === field.eventReport
  return [
    uid(affected ? 0x0002 : 0x0003, options.sopClass),
    us(0x0100, commandField),
    us(0x0110, options.messageID),
    us(0x0800, 0),
    uid(affected ? 0x1000 : 0x1001, options.instance),
    ...(commandField === field.eventReport ? [us(0x1002, 1)] : []),
  ]
}

/** The same command, with or without a data set announced. */
export const withDataSet = (spec: CommandSpec, there: boolean): CommandSpec =>
  spec.map((element) => (element.element === 0x0800 ? us(0x0800, there ? 0 : noDataSet) : element))

/** A response, though nothing was asked. */
export const strayResponse = (random: Random): CommandSpec => [
  uid(0x0002, storage.ct),
  us(0x0100, random.pick(Object.values(field)) | 0x8000),
  us(0x0120, random.between(0, 3)),
  us(0x0800, noDataSet),
  us(0x0900, random.pick([0, 0xff00, 0xc000])),
]

/** Breaks one element of a command set. */
export function breakCommand(random: Random, spec: CommandSpec): void {
  const at = random.between(0, spec.length - 1)
  const element = spec[at] as CommandElement
  switch (random.between(0, 8)) {
    case 0:
      element.announced = random.evilLength(element.value.length, 32)
      return
    case 1:
      spec.splice(at, 1)
      return
    case 2:
      spec.splice(random.between(0, spec.length), 0, { ...element })
      return
    case 3:
      element.value = random.bytes(random.pick([0, 1, 2, 3, 4, 7, 64, 65, 66, 300]))
      return
    case 4:
      element.element = random.pick([0x0001, 0x0002, 0x0003, 0x0100, 0x0110, 0x0120, 0x0800, 0x0900, 0x1000, 0x5555])
      return
    case 5:
      element.group = random.pick([0x0002, 0x0008, 0xfffe, 0xffff])
      return
    case 6:
      spec.sort(() => random.between(-1, 1))
      return
    case 7:
      spec.push({
        element: random.between(0x0601, 0xffff),
        value: random.bytes(random.pick([0, 1, 100, 8000, 60_000, 70_000])),
      })
      return
    default:
      for (const found of spec)
        if (found.element === 0x0100)
          found.value = uint16(random.pick([0, 2, 0x0031, 0x0fff, 0x8001, 0xffff, random.between(0, 0xffff)]))
  }
}
