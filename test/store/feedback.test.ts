import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { feedbackCases } from './feedback-cases.ts'

describe('feedback on a result', () => feedbackCases(temporaryStore))
