import { useSearchParams } from 'wouter'
import type { QueryOf } from '../../api/call.ts'

/** What is looked for, as the address has it: a colleague who gets the address sees the same. */
export type Filters = Omit<QueryOf<'GET /studies'>, 'limit' | 'offset' | 'value'> & { value?: string; page?: string }
type Name = keyof Filters

const names = [
  'search',
  'state',
  'patient',
  'accession',
  'from',
  'to',
  'modality',
  'finding',
  'is',
  'value',
  'sort',
  'page',
] as const satisfies readonly Name[]

/** How many studies a page of the list has. */
export const pageSize = 25

/** The filters of the list, and a way to change them, which leads to its first page. */
export function useFilters(): { filters: Filters; change(some: { [N in Name]?: string | null }): void; clear(): void } {
  const [params, setParams] = useSearchParams()
  const filters = Object.fromEntries(
    names.map((name) => [name, params.get(name)]).filter(([, value]) => value !== null && value !== ''),
  ) as Filters
  return {
    filters,
    change: (some) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before)
          for (const [name, value] of Object.entries({ page: null, ...some })) {
            if (value === null || value === undefined || value === '') next.delete(name)
            else next.set(name, value)
          }
          return next
        },
        { replace: true },
      ),
    clear: () => setParams({}, { replace: true }),
  }
}

/** The question that the filters ask. */
export function queryOf({ page, value, is, finding, ...rest }: Filters): QueryOf<'GET /studies'> {
  const number = Number(value)
  const compares = finding !== undefined && is !== undefined && value !== undefined && Number.isFinite(number)
  return {
    ...rest,
    ...(finding === undefined ? {} : { finding }),
    ...(compares ? { is, value: number } : {}),
    limit: pageSize,
    offset: Math.max(0, Math.floor(Number(page) || 0)) * pageSize,
  }
}
