import { definedTerms } from '../../../src/dicom/charset.ts'
import { keywordOf } from '../../../src/dicom/dictionary.ts'
import { sopClassName, storageSOPClassUIDs } from '../../../src/dicom/sop-class.ts'
import { transferSyntax, transferSyntaxes } from '../../../src/dicom/transfer-syntax.ts'
import { implementationClassUID, implementationVersionName } from '../../../src/dicom/uid.ts'
import { commandField } from '../../../src/dimse/command-set.ts'
import { readableSyntaxes } from '../../../src/dimse/readable-syntaxes.ts'
import { dimseStatus, statusOfCode } from '../../../src/dimse/status.ts'
import { bcp195 } from '../../../src/dimse/tls-profile.ts'
import { silentLog } from '../../../src/log.ts'
import { levels, uniqueKeys } from '../../../src/receive/query-identifier.ts'
import { receiverServices } from '../../../src/receive/services.ts'
import { singleByteTerms } from '../../../src/receive/single-byte-text.ts'
import { indexedAttribute, isAtOrAbove, type Matching } from '../../../src/view/attributes.ts'
import { type FindLevel, held, ofEveryAnswer, searchLevel } from '../../../src/view/find-keys.ts'
import { hex, table, tagText } from './table.ts'

/** The generated parts of the conformance statement that speak of DIMSE and of text, by name. */
export function networkTables(): Record<string, string> {
  return {
    identification: identification(),
    'storage-classes': storageClasses(),
    'transfer-syntaxes': allTransferSyntaxes(),
    'service-syntaxes': serviceSyntaxes(),
    services: services(),
    'query-levels': queryLevels(),
    'query-keys': queryKeys(),
    'dimse-statuses': statuses(),
    'store-statuses': storeStatuses(),
    'tls-ciphers': ciphers(),
    'character-sets': characterSets(),
  }
}

function identification(): string {
  return table(
    ['', ''],
    [
      ['Implementation Class UID', `\`${implementationClassUID}\``],
      ['Implementation Version Name', `\`${implementationVersionName}\``],
    ],
  )
}

function storageClasses(): string {
  const rows = storageSOPClassUIDs().map((uid) => [sopClassName(uid) ?? '', `\`${uid}\``])
  return table(['SOP class', 'UID'], rows)
}

function allTransferSyntaxes(): string {
  const rows = [...transferSyntaxes()].map(({ uid, name, explicitVR, littleEndian, encapsulated, deflated }) => [
    name,
    `\`${uid}\``,
    `${explicitVR ? 'explicit' : 'implicit'}, ${littleEndian ? 'little' : 'big'} endian${deflated ? ', deflated' : ''}`,
    encapsulated ? 'encapsulated' : 'native',
  ])
  return table(['Transfer syntax', 'UID', 'VR, byte order', 'Pixel Data'], rows)
}

function serviceSyntaxes(): string {
  return table(
    ['Transfer syntax', 'UID'],
    readableSyntaxes.map((uid) => [transferSyntax(uid).name, `\`${uid}\``]),
  )
}

/** Command Field values as PS3.7 writes them: `cFindRQ` is C-FIND. */
const commandName = (value: number): string =>
  (Object.entries(commandField).find(([, field]) => field === value)?.[0] ?? '')
    .replace(/RQ$/, '')
    .replaceAll(/(?=[A-Z])/g, '-')
    .toUpperCase()

function services(): string {
  const providers = receiverServices({
    ask: () => Promise.reject(new Error('nobody asks')),
    report: () => Promise.resolve(false),
    aeTitle: 'HILUM',
    log: silentLog,
  })
  const rows = providers.flatMap(({ abstractSyntaxes, commandFields, permission }) =>
    abstractSyntaxes.map((uid) => [
      sopClassName(uid) ?? '',
      `\`${uid}\``,
      commandFields.map(commandName).join(', '),
      permission === null ? 'every caller' : `\`${permission}\``,
    ]),
  )
  return table(['SOP class', 'UID', 'Requests taken', 'Callers that may'], rows)
}

function queryLevels(): string {
  const rows = Object.entries(levels).flatMap(([model, names]) =>
    names.map((level, depth) => [
      model === 'patient-root' ? 'Patient Root' : 'Study Root',
      level,
      uniqueKeys[level],
      names
        .slice(0, depth)
        .map((above) => uniqueKeys[above])
        .join(', '),
    ]),
  )
  return table(['Information model', 'Level', 'Unique key', 'Needed from the levels above, one value each'], rows)
}

const matchingWords: Readonly<Record<Matching, string>> = {
  uid: 'list of UIDs',
  text: 'single value, wildcard, several values',
  'person-name': 'single value, wildcard; any case, any component group',
  date: 'single value, range',
  time: 'single value, range',
  integer: 'single value',
  modalities: 'single value, wildcard, several values; true when any series has one of them',
}

/** Each key once, at the highest level that answers it. */
function queryKeys(): string {
  const rows: string[][] = []
  const listed = new Set<string>()
  for (const level of Object.keys(held) as FindLevel[]) {
    for (const tag of [...held[level]].sort()) {
      if (listed.has(tag)) continue
      listed.add(tag)
      const attribute = indexedAttribute(tag)
      const isMatched = attribute !== undefined && isAtOrAbove(attribute.level, searchLevel[level])
      rows.push([
        level,
        keywordOf(tag) ?? '',
        tagText(tag),
        isMatched ? matchingWords[attribute.matching] : 'returned only',
      ])
    }
  }
  for (const tag of [...ofEveryAnswer].sort())
    rows.push(['every', keywordOf(tag) ?? '', tagText(tag), 'returned, never matched'])
  return table(['Level', 'Key', 'Tag', 'Matching'], rows)
}

function statuses(): string {
  const rows = Object.entries(dimseStatus)
    .sort(([, a], [, b]) => a - b)
    .map(([name, status]) => [hex(status), wordsOf(name)])
  return table(['Status', 'Meaning'], rows)
}

/** `noSuchSOPClass` is "no such SOP class". */
const wordsOf = (name: string): string =>
  name
    .split(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => (/^([A-Z]{2,}|sop)$/.test(word) ? word.toUpperCase() : word.toLowerCase()))
    .join(' ')

function storeStatuses(): string {
  const rows = Object.entries(statusOfCode)
    .sort(([, a], [, b]) => a - b)
    .map(([code, status]) => [hex(status), `\`${code}\``])
  return table(['Status', 'Reason, as the quarantine and the log name it'], rows)
}

function ciphers(): string {
  const names = (bcp195.ciphers ?? '').split(':').filter((name) => !name.startsWith('@'))
  return table(
    ['Cipher suite, best first', 'TLS'],
    names.map((name) => [`\`${name}\``, name.startsWith('TLS_') ? '1.3' : '1.2']),
  )
}

function characterSets(): string {
  const written = new Set(singleByteTerms.map((number) => `ISO_IR ${number}`))
  const rows = definedTerms().map(({ alone, extended }) => [
    alone === null ? '' : `\`${alone}\``,
    extended === null ? '' : `\`${extended}\``,
    isWritten(alone, written) ? 'yes' : '',
  ])
  return table(['Defined term', 'With code extensions', 'Also written in responses to C-FIND'], rows)
}

const isWritten = (term: string | null, single: ReadonlySet<string>): boolean =>
  term !== null && (single.has(term) || term === 'ISO_IR 192' || term === 'ISO_IR 6')
