import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { indexerCases } from './indexer-cases.ts'

describe('the indexer', () => {
  indexerCases(() => temporaryStore())
})
