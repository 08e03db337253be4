import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { auditCases } from './audit-cases.ts'

describe('the chain of the audit', () => auditCases(temporaryStore))
