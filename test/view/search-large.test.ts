import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { searchCases } from './search-cases.ts'

describe('searches', () => {
  searchCases(() => temporaryStore())
})
