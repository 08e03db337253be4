import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { retentionCases } from './retention-cases.ts'

describe('retention', () => retentionCases(temporaryStore))
