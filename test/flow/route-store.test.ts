import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { routeCases } from './route-cases.ts'

describe('routes in the database', () => routeCases(temporaryStore))
