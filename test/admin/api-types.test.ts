import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { apiTypes } from '../support/api-types.ts'
import { repository } from '../support/data.ts'
import { writesDocuments } from '../support/generated-document.ts'

const file = path.join(repository, 'src/admin/ui/api/schema.ts')

test("the page's types are those of the API; UPDATE_DOCS=1 writes them anew", async () => {
  const types = await apiTypes()
  if (writesDocuments) writeFileSync(file, types)
  expect(readFileSync(file, 'utf8')).toBe(types)
})
