import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { messageOf } from '../../errors.ts'
import { ImportError } from './error.ts'

export type ConfigMap = Readonly<Record<string, unknown>>

export function isMap(value: unknown): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a JSON or YAML file whose content is a mapping. @throws {ImportError} `not-importable` */
export async function readConfig(file: string): Promise<ConfigMap> {
  let content: unknown
  try {
    content = parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ImportError('not-importable', `${file}: ${messageOf(error)}`, { cause: error })
  }
  if (!isMap(content)) throw new ImportError('not-importable', `${file}: a mapping is expected`)
  return content
}

/**
 * A MONAI configuration: `@a::b::0` (or `@a#b#0`) and `%a::b` mean another entry. Expressions of Python (`$…`) are not evaluated; they stay as they
 * are, but for those that are nothing but a reference, a number, a list of numbers, True, False or None, or a choice between two of these by a
 * reference to a truth value (`$@a if @b else @c`).
 */
export class MonaiConfig {
  readonly #root: ConfigMap

  constructor(root: ConfigMap) {
    this.#root = root
  }

  /** The first of some entries that is there, resolved; undefined where none is. */
  find(...names: readonly string[]): unknown {
    for (const name of names) if (this.#root[name] !== undefined) return this.resolve(this.#root[name])
    return undefined
  }

  /** A value with references in it replaced by what they mean. @param depth ends circles */
  resolve(value: unknown, depth = 0): unknown {
    if (depth > 32) return value
    if (Array.isArray(value)) return value.map((one) => this.resolve(one, depth + 1))
    if (isMap(value))
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.resolve(one, depth + 1)]))
    if (typeof value !== 'string') return value
    const reference = /^[$]?[@%]([\w]+(?:(?:::|#)[\w]+)*)$/.exec(value)?.[1]
    if (reference !== undefined) {
      const found = this.#at(reference.split(/::|#/))
      return found === undefined ? value : this.resolve(found, depth + 1)
    }
    const choice = /^[$]\s*(.+?)\s+if\s+(@[\w:#]+)\s+else\s+(.+)$/.exec(value)
    if (choice) {
      const condition = this.resolve(choice[2], depth + 1)
      if (typeof condition === 'boolean') return this.resolve(`$${condition ? choice[1] : choice[3]}`, depth + 1)
    }
    return value.startsWith('$') ? literal(value) : value
  }

  #at(path: readonly string[]): unknown {
    let at: unknown = this.#root
    for (const key of path) {
      // A reference may lead through another.
      if (typeof at === 'string') at = this.resolve(at)
      if (Array.isArray(at)) at = at[Number(key)]
      else if (isMap(at)) at = at[key]
      else return undefined
    }
    return at
  }
}

/** Python's literals, where an expression is nothing else. */
function literal(expression: string): unknown {
  const text = expression.slice(1).trim()
  if (/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return Number(text)
  if (text === 'True') return true
  if (text === 'False') return false
  if (text === 'None') return null
  const list = /^[[(]([-\d.,\seE]*)[\])]$/.exec(text)?.[1]
  if (list === undefined) return expression
  const numbers = list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number)
  return numbers.every(Number.isFinite) ? numbers : expression
}

/** A component of a configuration: the name of its class without module, and what it is given. */
export interface Component {
  target: string
  options: ConfigMap
}

/** Null for what is no component, or is switched off. */
export function componentOf(value: unknown): Component | null {
  if (!isMap(value) || typeof value._target_ !== 'string' || value._disabled_ === true) return null
  const options = Object.fromEntries(Object.entries(value).filter(([key]) => !/^_\w+_$/.test(key)))
  return { target: value._target_.split('.').at(-1) as string, options }
}

/** The transforms of a Compose, also of Composes inside of it. */
export function transformsOf(value: unknown): Component[] {
  const list =
    isMap(value) && Array.isArray(value.transforms) ? value.transforms : Array.isArray(value) ? value : [value]
  return list.flatMap((one: unknown): Component[] => {
    if (isMap(one) && Array.isArray(one.transforms)) return one._disabled_ === true ? [] : transformsOf(one)
    const component = componentOf(one)
    return component ? [component] : []
  })
}

/** A transform's name without what says that it works on dictionaries: `Spacingd`, `SpacingD` and `SpacingDict` are `Spacing`. */
export function plainName(target: string): string {
  return target.replace(/(?<=[a-z])(d|D|Dict)$/, '')
}

/** Words of a component as a person would find them in the file. */
export function worded({ target, options }: Component): string {
  const { keys: _keys, ...others } = options
  return `${target} ${JSON.stringify(others)}`.slice(0, 160)
}
