import { Message } from 'node-hl7-client'
import { isUID } from '../dicom/uid.ts'
import { HilumError } from '../errors.ts'
import type { Hl7Head } from './hl7-head.ts'

/** What a message says of one order. */
export interface Hl7Order {
  /** Where the message names the study (ZDS-1, IPC-3). */
  studyInstanceUID: string | null
  /** What may be its accession number: IPC-1, else placer field 1 (OBR-18) and the filler's order number (OBR-3). */
  accessionNumbers: string[]
  state: 'completed' | 'cancelled' | 'noted'
  /** The code that says so, as in `ORC-5 CM`; null where none does. */
  because: string | null
}

/** A message that is answered with AR (nobody here takes it) or AE (what it says cannot be used). No patient data in its message. */
export class Hl7Error extends HilumError<'hl7-rejected' | 'hl7-error'> {
  /** MSA-1. */
  get acknowledgement(): 'AR' | 'AE' {
    return this.code === 'hl7-rejected' ? 'AR' : 'AE'
  }
}

const takenTypes = new Set(['ORM^O01', 'OMI^O23', 'ORU^R01', 'ORM', 'OMI', 'ORU'])
/** Everything else, reports above all, is not even parsed. */
const takenSegments = new Set(['MSH', 'ORC', 'OBR', 'IPC', 'ZDS'])

/** Order Control (table 0119): cancelled or discontinued, asked for or done. CM is not in the table, and is sent. */
const cancellingControls = new Set(['CA', 'OC', 'CR', 'DC', 'OD', 'DR'])
/** Order Status (table 0038). */
const cancelledStatuses = new Set(['CA', 'DC'])
/** Result Status (table 0123): final, and corrected after that. */
const finalResults = new Set(['F', 'C'])

/**
 * What a message says of its orders. Only orders and reports are taken (ORM^O01, OMI^O23, ORU^R01).
 * @param text the whole message
 * @throws {Hl7Error}
 */
export function readOrders(head: Hl7Head, text: string): Hl7Order[] {
  if (!takenTypes.has(head.type)) throw new Hl7Error('hl7-rejected', 'this message type is not taken here')
  if (head.controlID === '') throw new Hl7Error('hl7-rejected', 'MSH-10 is empty: a message control ID is expected')
  const lines = text.split(/[\r\n]+/).filter((line) => takenSegments.has(line.slice(0, 3)))
  const { groups, study } = groupsOf(parse(lines.join('\r')))
  const orders = groups.map((group) => orderOf(group, study))
  if (orders.length === 0) throw new Hl7Error('hl7-error', 'the message has neither ORC nor OBR')
  if (orders.every((order) => order.studyInstanceUID === null && order.accessionNumbers.length === 0))
    throw new Hl7Error(
      'hl7-error',
      'no accession number (OBR-18, OBR-3, IPC-1) and no Study Instance UID (ZDS-1, IPC-3)',
    )
  return orders
}

function parse(text: string): Message {
  try {
    return new Message({ text })
  } catch {
    // What the parser says may quote the message.
    throw new Hl7Error('hl7-rejected', 'the message cannot be parsed')
  }
}

type Segment = ReturnType<Message['get']>

interface Group {
  orc?: Segment
  obr?: Segment
  ipc?: Segment
}

/** Orders in their order: each begins with an ORC, or with an OBR where another one has come already. A ZDS is for all of them. */
function groupsOf(message: Message): { groups: Group[]; study: string | null } {
  const groups: Group[] = []
  let study: string | null = null
  const current = (): Group => groups.at(-1) ?? begin()
  const begin = (): Group => {
    const group: Group = {}
    groups.push(group)
    return group
  }
  message.forEach((segment) => {
    switch (segment.name) {
      case 'ORC':
        begin().orc = segment
        break
      case 'OBR':
        ;(groups.at(-1)?.obr === undefined ? current() : begin()).obr = segment
        break
      case 'IPC':
        current().ipc ??= segment
        break
      case 'ZDS':
        study ??= uidIn(segment, '1.1')
        break
    }
  })
  return { groups, study }
}

function orderOf({ orc, obr, ipc }: Group, study: string | null): Hl7Order {
  const accession = valueOf(ipc, '1.1')
  const numbers = accession === '' ? [valueOf(obr, '18.1'), valueOf(obr, '3.1')] : [accession]
  const verdict = verdictOf({ control: valueOf(orc, '1.1'), status: valueOf(orc, '5.1'), result: valueOf(obr, '25.1') })
  return {
    studyInstanceUID: uidIn(ipc, '3.1') ?? study,
    accessionNumbers: [...new Set(numbers)].filter((number) => number !== '' && number.length <= 64),
    ...verdict,
  }
}

function verdictOf(codes: { control: string; status: string; result: string }): Pick<Hl7Order, 'state' | 'because'> {
  const { control, status, result } = codes
  if (cancellingControls.has(control)) return { state: 'cancelled', because: `ORC-1 ${control}` }
  if (cancelledStatuses.has(status)) return { state: 'cancelled', because: `ORC-5 ${status}` }
  if (result === 'X') return { state: 'cancelled', because: 'OBR-25 X' }
  if (control === 'CM') return { state: 'completed', because: 'ORC-1 CM' }
  if (status === 'CM') return { state: 'completed', because: 'ORC-5 CM' }
  if (finalResults.has(result)) return { state: 'completed', because: `OBR-25 ${result}` }
  return { state: 'noted', because: null }
}

function valueOf(segment: Segment | undefined, path: string): string {
  return segment?.get(path).toString().trim() ?? ''
}

function uidIn(segment: Segment | undefined, path: string): string | null {
  const text = valueOf(segment, path)
  return isUID(text) ? text : null
}
