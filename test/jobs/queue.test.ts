import { afterEach, describe } from 'vitest'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { queueCases } from './queue-cases.ts'

describe('the job queue', () => {
  const stores: TemporaryStore[] = []
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.dispose()
  })
  queueCases(async () => {
    const store = await temporaryStore()
    stores.push(store)
    return store
  })
})
