import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { standingCases } from './standing-cases.ts'

describe('results of an earlier revision', () => standingCases(temporaryStore))
