import { afterEach, describe } from 'vitest'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { nodeControlCases } from './node-control-cases.ts'

describe('what the pages ask of the database', () => {
  const stores: TemporaryStore[] = []
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.dispose()
  })
  nodeControlCases(async () => {
    const store = await temporaryStore()
    stores.push(store)
    return store
  })
})
