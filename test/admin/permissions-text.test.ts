import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { permissionsText } from '../../src/admin/permissions-text.ts'
import { repository } from '../support/data.ts'

it('docs/permissions.md says what the node enforces: node dist/main.js check --write-schemas writes it anew', () => {
  expect(readFileSync(path.join(repository, 'docs', 'permissions.md'), 'utf8')).toBe(permissionsText())
})
