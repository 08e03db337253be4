import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dimseStatus } from '../src/dimse/status.ts'
import { failureReason } from '../src/receive/stow-response.ts'
import { networkTables } from './support/conformance/network-tables.ts'
import { objectTables } from './support/conformance/object-tables.ts'
import { hex } from './support/conformance/table.ts'
import { webTables } from './support/conformance/web-tables.ts'
import { repository } from './support/data.ts'
import { generatedParts, writeParts, writesDocuments } from './support/generated-document.ts'

const page = 'docs/conformance.md'
const generated = { ...networkTables(), ...webTables(), ...objectTables() }
const found = generatedParts(page)

afterAll(() => {
  if (writesDocuments) writeParts(page, generated)
})

test(`${page} has a place for everything that is generated, and for nothing else`, () => {
  expect([...found.keys()].sort()).toEqual(Object.keys(generated).sort())
})

// After a change of the code: UPDATE_DOCS=1 npx vitest run --project unit test/conformance.test.ts
test.skipIf(writesDocuments).each(Object.entries(generated))(`${page}: %s is what the code says`, (name, text) => {
  expect(found.get(name)?.split('\n')).toEqual(text.split('\n'))
})

/** The statement without its generated parts. */
const prose = readFileSync(path.join(repository, page), 'utf8').replaceAll(
  /^<!-- generated: [\w-]+ -->$[\s\S]*?^<!-- end -->$/gm,
  '',
)

test(`${page} explains every status that Hilum answers, and no other`, () => {
  // Of other applications, whose warnings count as stored.
  const foreign = ['0xB006', '0xB007']
  const known = [...Object.values(dimseStatus), ...Object.values(failureReason)].map(hex)
  const mentioned = new Set([...prose.matchAll(/0x[0-9A-F]{4}\b/g)].map(([status]) => status))
  expect([...mentioned].filter((status) => !known.includes(status) && !foreign.includes(status))).toEqual([])
  expect(known.filter((status) => !mentioned.has(status))).toEqual([])
})
