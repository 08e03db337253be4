/** A media type or range with its parameters; type and parameter names in lower case. */
export interface MediaType {
  /** `application/dicom`, `multipart/related`, `*` + `/*` … */
  type: string
  parameters: ReadonlyMap<string, string>
}

/** One member of an Accept header: for multipart/related, `type` is the media type of its parts (PS3.18 8.7.4). */
export interface AcceptedType {
  /** Whether multipart/related was asked for; null: either will do. */
  multipart: boolean | null
  /** Media type of the object itself; may hold wildcards. */
  type: string
  /** UID, `*`, or null where the client names none. */
  transferSyntax: string | null
  quality: number
}

/**
 * Parses `type/subtype; name=value; name="value"` (RFC 9110 8.3.1).
 * @returns null where the text is no media type
 */
export function parseMediaType(text: string): MediaType | null {
  const [head = '', ...rest] = splitOutsideQuotes(text, ';')
  const type = head.trim().toLowerCase()
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(type)) return null
  const parameters = new Map<string, string>()
  for (const parameter of rest) {
    const equals = parameter.indexOf('=')
    if (equals < 0) continue
    parameters.set(parameter.slice(0, equals).trim().toLowerCase(), unquote(parameter.slice(equals + 1).trim()))
  }
  return { type, parameters }
}

/**
 * Reads an Accept header, most wanted first; members that cannot be read are left out. Tolerates an unquoted
 * `type=application/dicom` inside multipart/related, which several viewers send.
 * @param header undefined or empty: everything is accepted
 */
export function parseAccept(header: string | undefined): AcceptedType[] {
  if (header === undefined || header.trim() === '')
    return [{ multipart: null, type: '*/*', transferSyntax: null, quality: 1 }]
  const accepted: AcceptedType[] = []
  for (const member of splitOutsideQuotes(header, ',')) {
    const range = parseMediaType(member)
    if (range === null) continue
    const q = Number(range.parameters.get('q') ?? 1)
    const quality = Number.isFinite(q) ? Math.min(1, Math.max(0, q)) : 1
    if (quality === 0) continue
    const transferSyntax = range.parameters.get('transfer-syntax') ?? null
    if (range.type === 'multipart/related' || range.type === 'multipart/*') {
      const type = (range.parameters.get('type') ?? '*/*').toLowerCase()
      accepted.push({ multipart: true, type, transferSyntax, quality })
    } else {
      accepted.push({ multipart: range.type === '*/*' ? null : false, type: range.type, transferSyntax, quality })
    }
  }
  return accepted.sort((a, b) => b.quality - a.quality)
}

/** Whether a media type lies within a range such as `image/*`. */
export function isWithin(type: string, range: string): boolean {
  if (range === '*/*' || range === type) return true
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1))
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value
  return value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const pieces: string[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (quoted && character === '\\') i++
    else if (character === '"') quoted = !quoted
    else if (!quoted && character === separator) {
      pieces.push(text.slice(start, i))
      start = i + 1
    }
  }
  pieces.push(text.slice(start))
  return pieces
}
