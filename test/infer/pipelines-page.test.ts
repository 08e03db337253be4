import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { parseManifest } from '../../src/infer/manifest/parse-manifest.ts'
import { repository } from '../support/data.ts'
import { generatedParts, writeParts, writesDocuments } from '../support/generated-document.ts'
import { pipelineTables } from '../support/pipeline-tables.ts'

const page = 'docs/pipelines.md'
const generated = pipelineTables()
const found = generatedParts(page)

afterAll(() => {
  if (writesDocuments) writeParts(page, generated)
})

test(`${page} has a place for everything that is generated, and for nothing else`, () => {
  expect([...found.keys()].sort()).toEqual(Object.keys(generated).sort())
})

// After a change of the code: UPDATE_DOCS=1 npx vitest run --project unit test/infer/pipelines-page.test.ts
test.skipIf(writesDocuments).each(Object.entries(generated))(`${page}: %s is what the code says`, (name, text) => {
  expect(found.get(name)?.split('\n')).toEqual(text.split('\n'))
})

describe(`the examples of ${page}`, () => {
  const text = readFileSync(path.join(repository, page), 'utf8')
  const manifests = [...text.matchAll(/^```yaml\n(schema: 2\n[\s\S]*?)^```$/gm)].map(([, manifest = '']) => manifest)

  it('are there', () => {
    expect(manifests.length).toBeGreaterThan(0)
  })

  it.each(manifests.map((manifest, index) => [index, manifest] as const))(
    'number %i is a manifest without a problem',
    (_, manifest) => {
      expect(parseManifest(manifest).problems).toEqual([])
    },
  )
})
