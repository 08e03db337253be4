import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Permission } from '../../src/dimse/service.ts'
import { availabilityProvider } from '../../src/receive/availability-provider.ts'
import { mppsProvider } from '../../src/receive/mpps-provider.ts'
import type { ReceiverAnswer, ReceiverQuestion } from '../../src/receive/questions.ts'
import { MemoryScp } from '../dimse/memory-scp.ts'
import { availabilityOf, stepOf } from '../support/statement-attributes.ts'
import { StatementClient } from '../support/statement-client.ts'

const private_ = { vr: 'LO', Value: ['DOE^JOHN'] }

describe('the providers of steps and notifications', () => {
  let scp: MemoryScp
  let asked: ReceiverQuestion[]
  let answer: ReceiverAnswer
  let may: Permission[]

  beforeEach(async () => {
    asked = []
    answer = { about: 'done' }
    may = ['store']
    const ask = async (question: ReceiverQuestion) => {
      asked.push(question)
      return answer
    }
    scp = await MemoryScp.start({
      services: [mppsProvider({ ask }), availabilityProvider({ ask })],
      admit: () => ({ permissions: new Set(may) }),
    })
  })
  afterEach(() => scp.server.close())

  it.each(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'])(
    'hand on what tells of completeness in %s, and nothing of the patient',
    async (transferSyntaxUID) => {
      const client = await StatementClient.open(scp.port, 'CT1', transferSyntaxUID)
      const begun = stepOf({ status: 'IN PROGRESS', studies: ['1.2.3.1'], startedAt: ['20261121', '140322'] })
      const patient = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'DOE^JOHN' }] }, '00100020': private_ }
      expect(await client.create('1.2.8.1', { ...begun, ...patient })).toMatchObject({
        status: 0,
        sopInstanceUID: '1.2.8.1',
        hasDataSet: false,
      })
      const ended = stepOf({ status: 'COMPLETED', series: { '1.2.3.1.1': ['1.2.9.1', '1.2.9.2'] } })
      const item = ended['00400340']?.Value?.[0] as object
      const described = { ...ended, '00400340': { vr: 'SQ', Value: [{ ...item, '0008103E': private_ }] } }
      expect(await client.set('1.2.8.1', described)).toMatchObject({ status: 0 })
      const available = availabilityOf('1.2.3.1', ['1.2.9.1'], ['1.2.9.2'])
      const notified = await client.notify({ ...available, '00081111': { vr: 'SQ' } })
      expect(notified.status).toBe(0)
      expect(notified.sopInstanceUID).toMatch(/^2\.25\.\d+$/)
      await client.release()
      const sender = { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '127.0.0.1' }
      expect(asked).toEqual([
        { about: 'mpps-create', sopInstanceUID: '1.2.8.1', attributes: begun, sender },
        { about: 'mpps-set', sopInstanceUID: '1.2.8.1', attributes: ended, sender },
        { about: 'availability', attributes: available, sender },
      ])
    },
  )

  it('answer with the failure that the node gives', async () => {
    const client = await StatementClient.open(scp.port)
    answer = { about: 'failure', status: 0x0111, comment: 'there is a step of that SOP Instance UID' }
    const refused = { status: 0x0111, errorComment: 'there is a step of that SOP Instance UID' }
    expect(await client.create('1.2.8.1', stepOf({ status: 'IN PROGRESS' }))).toMatchObject(refused)
    await client.release()
  })

  it('make a UID for a step that comes without one, and refuse one that is none', async () => {
    const client = await StatementClient.open(scp.port)
    const created = await client.create(null, stepOf({ status: 'IN PROGRESS' }))
    expect(created.sopInstanceUID).toMatch(/^2\.25\.\d+$/)
    expect(asked[0]).toMatchObject({ sopInstanceUID: created.sopInstanceUID })
    expect(await client.set('1.2.x', stepOf({}))).toMatchObject({ status: 0x0117 })
    await client.release()
    expect(asked).toHaveLength(1)
  })

  it('are there for those that may store', async () => {
    may = ['query']
    await expect(StatementClient.open(scp.port)).rejects.toMatchObject({ code: 'association-rejected' })
  })
})
