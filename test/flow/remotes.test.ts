import { describe } from 'vitest'
import { temporaryStore } from '../support/temporary-store.ts'
import { remotesCases } from './remotes-cases.ts'

describe('the remotes', () => remotesCases(temporaryStore))
