import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { commitmentsCases } from './commitments-cases.ts'

describe('storage commitments', () => {
  commitmentsCases(() => temporaryStore())
})
