import type * as z from 'zod'

type Issue = z.core.$ZodIssue

const words: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
}

/** A type of a schema in words. */
export function typeInWords(type: string): string {
  return words[type] ?? type
}

/**
 * What a schema expects of a value that is there, in words.
 * @param found the value as it stands in the file
 * @param keys that a mapping may have there, where one is expected
 */
export function messageOfIssue(issue: Issue, found: unknown, keys: readonly string[]): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${shown(found)} stands here, ${typeInWords(issue.expected)} is expected${hint(issue.expected, found, keys)}`
    case 'invalid_value':
      return `${shown(found)} stands here, ${issue.values.map(String).join(' or ')} is expected`
    case 'too_big':
      if (issue.origin === 'number' || issue.origin === 'int')
        return `${shown(found)} stands here, ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum} is expected`
      return `at most ${issue.maximum} ${unitOf(issue.origin, Number(issue.maximum))} expected`
    case 'too_small':
      if (issue.origin === 'number' || issue.origin === 'int')
        return `${shown(found)} stands here, ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum} is expected`
      return `at least ${issue.minimum} ${unitOf(issue.origin, Number(issue.minimum))} expected`
    default:
      return issue.message
  }
}

function unitOf(origin: string, count: number): string {
  if (origin === 'string') return count === 1 ? 'character is' : 'characters are'
  return count === 1 ? 'entry is' : 'entries are'
}

/** How a value of another type becomes what is expected. */
function hint(type: string, found: unknown, keys: readonly string[]): string {
  if (type === 'string' && (typeof found === 'number' || typeof found === 'boolean')) return ': write it in quotes'
  if ((type === 'object' || type === 'record') && keys.length > 0 && keys.length <= 12)
    return `, as { ${keys.join(', ')} }`
  return ''
}

function shown(found: unknown): string {
  if (found === null) return 'nothing'
  if (Array.isArray(found)) return 'a list'
  if (typeof found === 'string') return found.length > 40 ? `${found.slice(0, 40)}…` : found
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : 'a mapping'
}
