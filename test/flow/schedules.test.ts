import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { schedulesCases } from './schedules-cases.ts'

describe('what runs by schedule', () => schedulesCases(temporaryStore))
