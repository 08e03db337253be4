import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { repository } from './data.ts'

/** True when the tests are to write the generated parts of documents instead of comparing them: `UPDATE_DOCS=1`. */
export const writesDocuments = process.env.UPDATE_DOCS === '1'

/** From `<!-- generated: NAME -->` to `<!-- end -->`, each on a line of its own. */
const part = /^<!-- generated: ([\w-]+) -->\n([\s\S]*?)^<!-- end -->$/gm

/** The generated parts of a page as they stand in it, by name. @param page relative to the repository */
export function generatedParts(page: string): Map<string, string> {
  const text = readFileSync(path.join(repository, page), 'utf8')
  return new Map([...text.matchAll(part)].map(([, name = '', body = '']) => [name, body.trim()]))
}

/**
 * Writes parts into a page; others stay as they are.
 * @throws Error when the page has no place for one of them
 */
export function writeParts(page: string, parts: Readonly<Record<string, string>>): void {
  const file = path.join(repository, page)
  const text = readFileSync(file, 'utf8')
  const places = generatedParts(page)
  const homeless = Object.keys(parts).filter((name) => !places.has(name))
  if (homeless.length > 0) throw new Error(`${page} has no place for ${homeless.join(', ')}`)
  const written = text.replace(part, (whole, name: string) => {
    const body = parts[name]
    return body === undefined ? whole : `<!-- generated: ${name} -->\n\n${body}\n\n<!-- end -->`
  })
  writeFileSync(file, written)
}
