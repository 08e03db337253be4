import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { routeActivityCases } from './route-activity-cases.ts'

describe('what routes matched in the last days', () => routeActivityCases(temporaryStore))
