import { afterEach, beforeEach, expect, it } from 'vitest'
import { insertQuarantined } from '../../src/receive/quarantine-queries.ts'
import type { QuarantinedObject } from '../../src/receive/received.ts'
import { listQuarantined } from '../../src/store/quarantine-list.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

let store: TemporaryStore
beforeEach(async () => {
  store = await temporaryStore()
})
afterEach(() => store.dispose())

const sender = { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '10.0.0.5' }

it('lists a quarantined file once, the newest first', async () => {
  const object: QuarantinedObject = {
    file: 'a.dcm',
    at: '2026-11-21T12:00:00.000Z',
    size: 5,
    code: 'truncated',
    reason: 'the bytes end inside an element',
    via: 'c-store',
    sender,
    sopClassUID: null,
    sopInstanceUID: '1.2.3',
    transferSyntaxUID: '1.2.840.10008.1.2',
  }
  await insertQuarantined(store.database, object)
  await insertQuarantined(store.database, object)
  await insertQuarantined(store.database, { ...object, file: 'b.dcm' })
  const { total, objects } = await listQuarantined(store.database, { limit: 1, offset: 0 })
  expect(total).toBe(2)
  expect(objects).toMatchObject([{ file: 'b.dcm', sender: 'CT1@10.0.0.5', sopInstanceUID: '1.2.3', size: 5 }])
})
