import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { archiveCases } from './archive-cases.ts'
import { completenessCases } from './completeness-cases.ts'

describe('completion by what is known', () => completenessCases(temporaryStore))
describe('completion by what archives count', () => archiveCases(temporaryStore))
