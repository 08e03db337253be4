import { z } from 'zod'
import { loadConfig } from '../../../src/config.ts'
import { configSchema } from '../../../src/config-schema.ts'
import { keywordOf } from '../../../src/dicom/dictionary.ts'
import { transferSyntax } from '../../../src/dicom/transfer-syntax.ts'
import { httpStatusOfCode } from '../../../src/dicomweb/problem.ts'
import { frameTypes } from '../../../src/receive/stow-frames.ts'
import { reasonOfCode } from '../../../src/receive/stow-response.ts'
import { indexedAttributes } from '../../../src/view/attributes.ts'
import { frameMediaTypes } from '../../../src/view/frame-media-types.ts'
import { searchLimits } from '../../../src/view/search.ts'
import { hex, table, tagText } from './table.ts'

/** The generated parts of the conformance statement that speak of DICOMweb and of settings, by name. */
export function webTables(): Record<string, string> {
  return {
    'qido-keys': qidoKeys(),
    'qido-limits': qidoLimits(),
    'wado-frames': wadoFrames(),
    'stow-frames': stowFrames(),
    'stow-failures': stowFailures(),
    'http-statuses': httpStatuses(),
    settings: settings(),
  }
}

function qidoKeys(): string {
  const rows = indexedAttributes.map(({ tag, vr, level }) => [level, keywordOf(tag) ?? '', tagText(tag), vr])
  return table(['Level', 'Matching key', 'Tag', 'VR'], rows)
}

function qidoLimits(): string {
  const rows = Object.entries(searchLimits).map(([level, { unasked, maximum }]) => [level, `${unasked}`, `${maximum}`])
  return table(['Level', 'Matches without `limit`', 'At most'], rows)
}

function wadoFrames(): string {
  const rows = Object.entries(frameMediaTypes).map(([uid, types]) => [
    transferSyntax(uid).name,
    types.map((type) => `\`${type}\``).join(', '),
  ])
  return table(['Stored transfer syntax', 'Media types beside `application/octet-stream`'], rows)
}

function stowFrames(): string {
  const rows = Object.entries(frameTypes).map(([type, uids]) => [
    `\`${type}\``,
    uids.map((uid) => transferSyntax(uid).name).join('; '),
  ])
  return table(['Media type of a compressed frame', 'Transfer syntaxes, the default one first'], rows)
}

function stowFailures(): string {
  const rows = Object.entries(reasonOfCode)
    .sort(([, a], [, b]) => a - b)
    .map(([code, reason]) => [hex(reason), `\`${code}\``])
  return table(['Failure Reason', 'Why, as the quarantine and the log name it'], rows)
}

function httpStatuses(): string {
  const rows = Object.entries(httpStatusOfCode)
    .sort(([, a], [, b]) => a - b)
    .map(([code, status]) => [`${status}`, `\`${code}\``])
  return table(['HTTP status', '`code` of the problem document'], rows)
}

const defaults = loadConfig({ file: null, env: {} })

/** Settings that concern DICOM, by the beginning of their paths. */
const concerned = /^(aeTitle|dimse\b|http\.(host|port)|receive\b|remotes\b|assemble\.(expect|hl7)\b)/

interface Schema {
  type?: string
  properties?: Record<string, Schema>
  items?: Schema
  default?: unknown
  description?: string
}

function settings(): string {
  const root = z.toJSONSchema(configSchema({}), { io: 'input', target: 'draft-7' }) as Schema
  const rows: string[][] = []
  const visit = (schema: Schema, at: string): void => {
    const inner = schema.items?.properties ? { ...schema.items, isList: true } : schema
    if (inner.properties) {
      const below = at === '' ? '' : `${at}${'isList' in inner ? '[]' : ''}.`
      for (const [name, child] of Object.entries(inner.properties)) visit(child, below + name)
      return
    }
    if (concerned.test(at))
      rows.push([`\`${at}\``, defaultText(defaultOf(at) ?? schema.default), schema.description ?? ''])
  }
  visit(root, '')
  return table(['Setting', 'Default', 'Meaning'], rows)
}

/** As the program takes it; undefined inside lists, and where there is none. */
function defaultOf(at: string): unknown {
  return at.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], defaults)
}

function defaultText(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'number' && value >= 2 ** 28) return `${value / 2 ** 20} MiB`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
