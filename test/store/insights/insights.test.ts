import { describe } from 'vitest'
import { temporaryStore } from '../../support/temporary-store.ts'
import { insightsCases } from './insights-cases.ts'

describe('insights', () => insightsCases(temporaryStore))
