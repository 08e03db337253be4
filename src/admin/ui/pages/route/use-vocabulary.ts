import type { AnswerOf } from '../../api/call.ts'
import { useApi } from '../../api/use-api.ts'

export type Field = AnswerOf<'GET /routes/vocabulary'>['fields'][number]
export type Scope = 'study' | 'series'

/** The fields that are offered, the usual and the seen ones first. @param search part of the keyword or of its words */
export function useFields(search: string, level: Scope | undefined) {
  return useApi(
    'GET /routes/vocabulary',
    { query: { search: search.replaceAll(/[^A-Za-z0-9]/g, ''), limit: 60, ...(level ? { level } : {}) } },
    { keepPrevious: true },
  )
}

/** What is known of a field; undefined while it is asked for, and for one that nothing is known of. */
export function useField(path: string): Field | undefined {
  const bare = path.replaceAll(/\[\d+\]/g, '')
  const [level = '', keyword = ''] = bare.split('.')
  const known = useApi(
    'GET /routes/vocabulary',
    { query: { search: keyword, limit: 60, level: level === 'study' ? 'study' : 'series' } },
    { enabled: keyword !== '' },
  )
  const field = known.data?.fields.find((one) => one.path === bare)
  // One value of a list is no list.
  return field && bare !== path ? { ...field, list: false } : field
}
